"""Stage data_card: synthetic images and the metadata of their training images in; a card that travels with them out.

Croissant (Akhtar et al. 2024, format version 1.0): what other tools read of a data set, with the licences of the images
that the generators were trained on. Who publishes the set adds ``url``, ``creator`` and ``datePublished``.
"""

from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.images import ARRAY, open_images
from pipeline.licences import forbids_commerce, licence_counts
from pipeline.params.classes import ClassName
from pipeline.params.reader import StageParams, read_params
from pipeline.params.source import Sources
from pipeline.stage import run_stage
from pipeline.store import read_csv, sha256_of_file, write_json

SYNTHETIC = Path("data/synthetic")
SPLITS = Path("data/splits.csv")
REDUCED = Path("data/reduced.csv")
CARD = Path("reports/data_card.json")
MANIFEST = "manifest.csv"

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
COLUMNS = {
    "row": ("sc:Integer", "index of the image in images.npy; empty for a copy, which was dropped"),
    "nearest_image_id": ("sc:Text", "the training image that it is most like"),
    "likeness": ("sc:Float", "to that training image, 0 for an image like many, near 1 for a changed copy"),
    "copy": ("sc:Boolean", "whether it counts as a copy of that training image"),
}


class Params(StageParams):
    sources: Sources = Field(alias="source")
    variant: str = Field(alias="gan.variant")
    classes: list[ClassName] = Field(alias="gan.classes")
    seeds: list[int] = Field(alias="gan.seeds")


def main() -> None:
    params = read_params(Params)
    splits = read_csv(SPLITS)
    reduced = read_csv(REDUCED, dtype=str, keep_default_na=False)
    training = splits.loc[splits["split"] == "train", "image_id"]
    write_json(CARD, card(params, licence_counts(reduced, training)))


def card(params: Params, licences: list[tuple[str, str, int]]) -> dict[str, Any]:
    """The content of reports/data_card.json.

    Args:
        licences: licence, attribution and number of the training images.
    """
    sets = [(class_name, seed) for class_name in params.classes for seed in params.seeds]
    restricted = sum(count for licence, _, count in licences if forbids_commerce(licence))
    terms = "; ".join(f"{licence}, attribution {attribution}: {count:,}" for licence, attribution, count in licences)
    warning = (
        f" {restricted:,} of them may not be used commercially, so take it that the synthetic images may not either."
        if restricted
        else ""
    )
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"synthetic_{'_'.join(params.sources.root)}_{params.variant}",
        "description": (
            f"Images of skin lesions drawn by generative models ({params.variant}), one model for each class and seed, "
            f"trained on images of {params.sources.names}. No photograph of a patient, and no diagnosis: the class "
            f"says which images a model was trained on. Licences of the training images: {terms}.{warning}"
        ),
        "license": sorted({licence for licence, _, _ in licences}),
        "creditText": sorted({attribution for _, attribution, _ in licences}),
        "rai:dataLimitations": (
            "Not for diagnosis, and not as the only test data. Whether they help to train a classifier is what "
            "report.html measures; it names artefacts and subgroups that they over- or underrepresent."
        ),
        "rai:dataCollection": "Sampled from trained models; draws that are copies of training images were dropped.",
        "distribution": [entry for class_name, seed in sets for entry in _files(class_name, seed)],
        "recordSet": [_records(class_name, seed) for class_name, seed in sets],
    }


def _files(class_name: ClassName, seed: int) -> list[dict[str, Any]]:
    folder = SYNTHETIC / class_name / str(seed)
    shape = " x ".join(map(str, open_images(folder).shape))
    described = {
        ARRAY: ("application/octet-stream", f"NumPy array, {shape} (image, row, column, channel), uint8"),
        MANIFEST: ("text/csv", "a row for every image drawn"),
    }
    return [
        {
            "@type": "cr:FileObject",
            "@id": f"{class_name}_{seed}_{name}",
            "name": f"{class_name}_{seed}_{name}",
            "description": f"Synthetic {class_name} images, generator seed {seed}: {content}.",
            "contentUrl": f"../{folder / name}",
            "contentSize": f"{(folder / name).stat().st_size} B",
            "encodingFormat": encoding,
            "sha256": sha256_of_file(folder / name),
        }
        for name, (encoding, content) in described.items()
    ]


def _records(class_name: ClassName, seed: int) -> dict[str, Any]:
    name = f"{class_name}_{seed}"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"Every image that the generator of {class_name} images with seed {seed} drew.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "description": meaning,
                "dataType": kind,
                "source": {"fileObject": {"@id": f"{name}_{MANIFEST}"}, "extract": {"column": column}},
            }
            for column, (kind, meaning) in COLUMNS.items()
        ],
    }


if __name__ == "__main__":
    run_stage(main)
