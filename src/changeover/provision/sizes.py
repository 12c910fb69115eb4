"""May a deployment be that large? The sizes that a SKU is sold in."""

from changeover.provision.offers import SkuOffer
from changeover.versions.sku import capacity_words


def size_fault(sold: SkuOffer, capacity: int) -> str | None:
    """What was expected instead; ``None`` where ``capacity`` is a size of ``sold``."""
    if sold.allowed and capacity not in sold.allowed:
        return f"one of {', '.join(map(str, sold.allowed))}"
    if sold.minimum is not None and capacity < sold.minimum:
        return f"at least {capacity_words(sold.name, sold.minimum)}"
    if sold.maximum is not None and capacity > sold.maximum:
        return f"at most {capacity_words(sold.name, sold.maximum)}"
    if sold.step and (capacity - (sold.minimum or 0)) % sold.step:
        return f"steps of {sold.step} from {sold.minimum or 0}"
    return None
