Feature: Retrying safely
  A network loses answers. A program that does not know whether its product was added asks again
  with the same idempotency key, and the product is added once.

  Scenario: An answer that was lost is repeated
    When the program adds "Walnut desk lamp" with the key K1
    And the program adds "Walnut desk lamp" with the key K1
    Then the answer is the first one again
    And the catalog has 1 product

  Scenario: Another key is another product
    When the program adds "Walnut desk lamp" with the key K1
    And the program adds "Walnut desk lamp" with the key K2
    Then the product is created
    And the catalog has 2 products

  Scenario: A key belongs to one request
    When the program adds "Walnut desk lamp" with the key K1
    And the program adds "Wool rug" with the key K1
    Then it is refused because the key belongs to another request
    And the catalog has 1 product

  Scenario: The answer stays the first one, whatever happened since
    Given the program has added "Walnut desk lamp" with the key K1
    And the merchant has renamed it to "Oak desk lamp"
    When the program adds "Walnut desk lamp" with the key K1
    Then the answer is the first one again

  Scenario: A request that was refused may be corrected under the same key
    When the program adds a product without a title with the key K1
    And the program adds "Walnut desk lamp" with the key K1
    Then the product is created

  Scenario: Without a key every request counts
    When the program adds "Walnut desk lamp" without a key
    And the program adds "Walnut desk lamp" without a key
    Then the catalog has 2 products
