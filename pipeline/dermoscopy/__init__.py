"""Procedural dermoscopy: photographs of imaginary lesions whose malignancy is known, drawn from random numbers alone.

``traits`` has the class-conditional ABCD distributions and the best AUC that anything can reach; ``cohort`` has the
patients, lesions, photographs and archive faults; ``photograph`` puts ``skin``, ``lesion`` and ``artefacts`` together.
"""
