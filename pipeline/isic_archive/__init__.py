"""Downloading from the ISIC archive: requests, the list of images, the images, and the papers that go with them."""
