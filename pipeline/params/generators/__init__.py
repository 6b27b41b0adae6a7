"""SETTINGS: gan.variant -> the pydantic class of its block under gan.variants. Written by hand, sorted."""

from pipeline.params.generators import dcgan, sngan
from pipeline.params.section import Section

SETTINGS: dict[str, type[Section]] = {
    "dcgan": dcgan.Settings,
    "sngan": sngan.Settings,
}
