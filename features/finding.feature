Feature: Filters
  Shoppers narrow a list down until it holds what they would buy.
  Conditions on different things must all hold; several values for one thing are alternatives.

  Background:
    Given these categories
      | id    | name  |
      | light | Light |
      | floor | Floor |
    And these products
      | id     | title         | brand | category_id | price      | quantity | condition   | tags       | attributes.color | attributes.height_cm |
      | LAMP-1 | Desk lamp     | Lumen | light       | 129.90 EUR | 12       | new         | desk, gift | brown            | 45                   |
      | LAMP-2 | Floor lamp    | Lumen | light       | 249.00 EUR | 0        | new         |            | black            | 160                  |
      | LAMP-3 | Old desk lamp | Oak   | light       | 35.00 EUR  | 1        | used        | desk       | brown            | 38                   |
      | RUG-1  | Wool rug      | Knot  | floor       | 89.00 EUR  | 5        | new         | gift       | red              |                      |
      | RUG-2  | Jute rug      |       | floor       |            |          | refurbished |            |                  |                      |

  Rule: Alternatives and conditions

    Scenario Outline: One thing
      When a client lists the products where <field> is "<value>"
      Then the list is <products>

      Examples:
        | field            | value       | products                     |
        | brand            | Lumen       | LAMP-1, LAMP-2               |
        | brand            | Lumen, Knot | LAMP-1, LAMP-2, RUG-1        |
        | category         | floor       | RUG-1, RUG-2                 |
        | condition        | used        | LAMP-3                       |
        | availability     | in_stock    | LAMP-1, LAMP-3, RUG-1, RUG-2 |
        | tag              | desk        | LAMP-1, LAMP-3               |
        | tag              | desk, gift  | LAMP-1, LAMP-3, RUG-1        |
        | attributes.color | brown       | LAMP-1, LAMP-3               |

    Scenario: Several things at once
      When a client lists the products where
        | parameter        | value |
        | brand            | Lumen |
        | brand            | Oak   |
        | attributes.color | brown |
        | condition        | new   |
      Then the list is LAMP-1

    Scenario: Nothing fits
      When a client lists the products where brand is "Plush"
      Then the list is empty
      And the list says that 0 products match

    Scenario Outline: Exceptions and gaps
      When a client lists the products where <parameter> is "<value>"
      Then the list is <products>

      Examples:
        | parameter                | value | products                      |
        | brand[ne]                | Lumen | LAMP-3, RUG-1, RUG-2          |
        | brand[exists]            | false | RUG-2                         |
        | brand[exists]            | true  | LAMP-1, LAMP-2, LAMP-3, RUG-1 |
        | attributes.color[exists] | false | RUG-2                         |

  Rule: Ranges

    Scenario Outline: Numbers between limits
      When a client lists the products where <condition>
      Then the list is <products>

      Examples:
        | condition                              | products       |
        | price[gte]=89.00 and price[lte]=129.90 | LAMP-1, RUG-1  |
        | price[gt]=89.00 and price[lt]=129.90   | nothing        |
        | price[lt]=89                           | LAMP-3         |
        | quantity[gte]=5                        | LAMP-1, RUG-1  |
        | attributes.height_cm[gte]=45           | LAMP-1, LAMP-2 |
        | attributes.height_cm[lt]=45            | LAMP-3         |

    Scenario: A range of time
      When a client lists the products that changed since the merchant last changed RUG-1
      Then the list is RUG-1

  Rule: Order

    Scenario Outline: Sorting
      When a client lists the products sorted by "<sort>"
      Then the list is <products>

      Examples:
        | sort                 | products                             |
        | price                | LAMP-3, RUG-1, LAMP-1, LAMP-2, RUG-2 |
        | -price               | LAMP-2, LAMP-1, RUG-1, LAMP-3, RUG-2 |
        | title                | LAMP-1, LAMP-2, RUG-2, LAMP-3, RUG-1 |
        | attributes.height_cm | LAMP-3, LAMP-1, LAMP-2, RUG-1, RUG-2 |

  Rule: What the catalog does not know is never ignored

    Scenario Outline: A question that makes no sense: <what is wrong>
      When a client lists the products where <parameter> is "<value>"
      Then it is refused because the parameter "<parameter>" is wrong

      Examples:
        | parameter       | value      | what is wrong     |
        | colour          | brown      | no such parameter |
        | brand[like]     | Lum        | no such operator  |
        | price[gte]      | cheap      | not a number      |
        | sort            | popularity | no such order     |
        | status          | published  | no such status    |
        | created_at[gte] | yesterday  | not a time        |
