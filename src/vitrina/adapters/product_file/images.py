"""Pictures as files give them: what is no absolute URL is left out, and told."""

from collections.abc import Mapping, Sequence

from vitrina.adapters.product_file.cells import DoubtfulCell
from vitrina.domain.errors import InvalidValue
from vitrina.domain.product import parse_url
from vitrina.service_layer.documents import Json


def split_images(images: Sequence[Json]) -> Json:
    """Return *images* when all are pictures with an absolute URL.

    Raises:
        DoubtfulCell: ``invalid_url``; its value are those that are.
    """
    good: list[Json] = []
    wrong: list[str] = []
    for image in images:
        url = image.get("url") if isinstance(image, Mapping) else image
        try:
            parse_url(str(url))
        except InvalidValue:
            wrong.append(str(url))
        else:
            good.append(image)
    if wrong:
        raise DoubtfulCell(
            "invalid_url",
            f"{wrong[0][:60]!r} is left out: a picture's URL is absolute and starts with "
            "http:// or https://.",
            value=good or None,
        )
    return good
