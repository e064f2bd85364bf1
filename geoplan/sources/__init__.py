"""Where from? The catalogue of datasets and the readers of their files."""

from geoplan.sources.catalogue import Catalogue, Dataset, home, sha256_of
from geoplan.sources.files import check_raster, formats, list_layers, read_grid, read_table, read_vector

__all__ = [
    "Catalogue",
    "Dataset",
    "check_raster",
    "formats",
    "home",
    "list_layers",
    "read_grid",
    "read_table",
    "read_vector",
    "sha256_of",
]
