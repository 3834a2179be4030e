"""Importing a file of products into a catalog."""

from functools import partial
from pathlib import Path

from vitrina.adapters.catalog_folder import Location, locate
from vitrina.adapters.incoming import IncomingFile
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.meters import private_meters
from vitrina.adapters.product_file import Format, UnreadableFile
from vitrina.bootstrap.in_step import in_step
from vitrina.domain.errors import StoreBusy, StoreReadOnly, StoreUnreadable
from vitrina.service_layer.changes import Source
from vitrina.service_layer.imports import (
    CannotImport,
    Imported,
    ImportRules,
    Progress,
    import_products,
    owners_of_skus,
)
from vitrina.settings import Settings


def import_file(
    source: Path,
    path: Path,
    settings: Settings,
    rules: ImportRules,
    *,
    file_format: str | None = None,
    currency: str | None = None,
    progress: Progress,
) -> Imported:
    """Import a file of products into a catalog, beside the service that may run on it.

    Args:
        source: The file.
        path: The catalog.
        settings: How the catalog is run.
        rules: How the file is imported.
        file_format: ``csv``, ``json`` or ``jsonl``; None finds out.
        currency: Of prices in it that name none, ISO 4217; None: as in the catalog's own file.
        progress: Told how far it is.

    Raises:
        CannotOpen: There is no catalog, it is damaged, or the system refuses.
        CannotImport: The file cannot be read, or is the catalog's own.
    """
    location = locate(path)
    data = _read(source, location)
    with in_step(location, settings, Disk(), private_meters(), join=True, last_wait_s=0) as kept:
        view = kept.opened.store.view
        new_unit_of_work = partial(kept.opened.store.unit_of_work, Source.IMPORT)
        try:
            incoming = IncomingFile(
                source,
                data,
                view.categories(),
                currency=currency or settings.currency,
                owners_of_skus=lambda skus: owners_of_skus(new_unit_of_work(), skus),
                file_format=Format(file_format) if file_format else None,
            )
        except UnreadableFile as error:
            raise CannotImport(f"{source} cannot be read: {error}") from error
        except (StoreReadOnly, StoreBusy) as error:
            raise CannotImport(f"Nothing can be written to the catalog: {error}") from error
        except StoreUnreadable as error:
            raise CannotImport(str(error)) from error
        return import_products(
            incoming,
            rules,
            view=view,
            new_unit_of_work=new_unit_of_work,
            progress=progress,
        )


def _read(source: Path, location: Location) -> bytes:
    try:
        if location.file.exists() and source.samefile(location.file):
            raise CannotImport(
                f"{source} is the catalog's own product file: what is saved there is taken in by "
                "itself, by a service that runs on it or at its next start."
            )
        return source.read_bytes()
    except OSError as error:
        raise CannotImport(f"{source} cannot be read: {error.strerror or error}.") from error
