"""The feature files, driven over HTTP against a really running service.

Feature files speak of merchants and shoppers; steps speak HTTP; neither knows how Vitrina is made
inside. One module per feature; steps that several features share are in ``conftest.py``.
"""
