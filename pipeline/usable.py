"""Which rows of the metadata an experiment can use."""

import numpy as np
import pandas as pd

USABLE_IMAGE_TYPES = ("dermoscopic", "")  # empty: formats that say nothing hold dermoscopy only


def drop_reasons(metadata: pd.DataFrame) -> pd.Series:
    """Why each row cannot be used, by the first rule that applies; empty: it can."""
    image_type, label = metadata["image_type"], metadata["label"]
    rules = {
        "synthetic": image_type == "synthetic",
        "not_dermoscopic": ~image_type.isin(USABLE_IMAGE_TYPES),
        "indeterminate": label == "indeterminate",
        "unlabelled": label == "unknown",
    }
    return pd.Series(np.select(list(rules.values()), list(rules), default=""), index=metadata.index)
