"""Demo mode: everything works and nothing stays."""

from symphony.config.settings import IN_MEMORY, Settings, load_settings


def get_demo_settings() -> Settings:
    """Settings of a service in one process whose database is SQLite in memory.

    All else is as the environment says. Raises: SettingsError.
    """
    return load_settings(demo_mode=True, demo_database_url=IN_MEMORY, workers=1)
