"""The kernel's Piccolo app: its tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from newel.store.tables_document import DOCUMENTS
from newel.store.tables_master import MASTER

APP_CONFIG = AppConfig(
    app_name="newel", migrations_folder_path=str(Path(__file__).parent / "migrations"), table_classes=[*MASTER, *DOCUMENTS], migration_dependencies=[]
)
