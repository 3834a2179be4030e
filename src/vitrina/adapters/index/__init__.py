"""Product indexes: what meets the port ``ProductIndex``.

**What a search means.** ``rows`` says what an index keeps of a product, ``conditions`` when a product meets a
filter, ``orders`` how products are sorted, ``counts`` how facets are presented, and ``scan`` puts them together
into an exact index that looks at every product: the measure of all others.

**The index of the service** is ``engine``, on tantivy. In it

- products become the engine's documents (``schema``, ``entries``, ``encoding``), texts become terms (``analysis``,
  ``plurals``), and what comes again is remembered (``memories``);
- an index is opened or built (``opening``, ``building``, ``writing``, ``joining``, ``pasts``) where it has its place
  (``home``, ``slots``, ``overlay``, ``files``), and follows the catalog from there (``following``);
- each change gives readers another ``state``, on which they ask a question (``searching``).

The parts of an answer:

- text: what was typed becomes a plan (``planning``, ``plans``, with ``reading``, ``synonyms``, ``spelling``, ``category_words``), whose
  matches are found by the engine (``ranking``) or in arrays of what it was asked before (``matches``,
  ``holdings``, ``keeping``, ``documents``);
- filters: ``narrowing``; with a page of the matches: ``pages``;
- order: ``sorting``, by ``walking`` through the engine or in ``lists`` that are kept;
- facets: ``tallies``, counted by the engine or in ``columns`` (``filling``, ``lineages``);
- what is said beside: ``explanations``.

Suggestions are ``advice``: words (``completing``), and brands and categories in a ``directory`` by their ``names``.
Related products are ``likeness``.
"""
