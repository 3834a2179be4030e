"""Product indexes: what meets the port ``ProductIndex``.

``rows`` says what an index keeps of a product, ``conditions`` when a product meets a filter,
``orders`` how products are sorted, ``counts`` how facets are counted, and ``scan`` puts them together into
an exact index that looks at every product: the measure of all others.
"""
