"""Demo mode: the complete service with a database in memory."""

from symphony.config.settings import IN_MEMORY, Settings, load_settings


def get_demo_settings() -> Settings:
    """Load the settings of a service in one process with SQLite in memory.

    All other settings come from the environment. Raises: SettingsError.
    """
    return load_settings(demo_mode=True, demo_database_url=IN_MEMORY, workers=1)
