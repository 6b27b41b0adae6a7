"""Procedural dermoscopy: photographs of imaginary lesions whose malignancy is known, drawn from random numbers alone.

``traits`` has the class-conditional ABCD distributions and the best AUC that anything can reach. ``photograph`` draws
one picture from ``skin``, ``lesion`` (outline), ``pigment`` with ``structures``, ``hair``, ``artefacts`` and
``camera``, all of them functions of the plane (``fields``) and films and strokes (``painting``). ``cohort`` has the
patients, lesions, photographs and which of them get an archive's ``faults``; ``files`` and ``description`` are what
the archive holds of each.
"""
