"""The statements with which an API token is rotated."""

from sqlalchemy import bindparam, select, update

from symphony.infrastructure.database.entity_mapping import ENTITY_ID
from symphony.infrastructure.database.mappings import API_TOKENS

_tokens = API_TOKENS.table.c

_created = API_TOKENS.table.alias("created")
# FOR KEY SHARE, the lock that the insert of a successor takes anyway. It is taken before the
# token's own, since the rotation or revocation of the creator locks this one first, too.
LOCK_CREATOR = (
    select(_tokens.id)
    .where(
        _tokens.id
        == select(_created.c.creator_id).where(_created.c.id == ENTITY_ID).scalar_subquery()
    )
    .with_for_update(read=True, key_share=True)
)
LOCK_CREATIONS = (
    select(_tokens.id)
    .where(_tokens.creator_id == ENTITY_ID)
    .order_by(_tokens.id)
    .with_for_update(key_share=True)
)
PASS_CREATIONS = (
    update(API_TOKENS.table)
    .where(_tokens.creator_id == ENTITY_ID)
    .values(creator_id=bindparam("successor_id"))
)
_creators = (
    select(_tokens.creator_id).where(_tokens.id == ENTITY_ID).cte("creators", recursive=True)
)
_all_creators = _creators.union(
    select(_tokens.creator_id).join_from(
        API_TOKENS.table, _creators, _tokens.id == _creators.c.creator_id
    )
)
HAS_CREATOR = select(_all_creators.c.creator_id).where(
    _all_creators.c.creator_id == bindparam("sought_id")
)
