Feature: Mistakes explained
  Whoever makes a mistake is told what is wrong, where it is and what to do about it,
  and nothing has happened.

  Background:
    Given a product LAMP-1

  Rule: Every mistake in a product is named with its place

    Scenario: All mistakes are named at once
      When the developer sends a new product
        """
        {"id": "RUG-1", "title": "", "price": {"amount": "12.345", "currency": "EUR"}, "quantity": "many",
         "images": [{"url": "https://img.example/1.jpg"}, {"url": "img/2.jpg"}], "colour": "red"}
        """
      Then it is refused and these places are named
        | place         | mistake         |
        | /title        | too_short       |
        | /price/amount | too_many_digits |
        | /quantity     | wrong_type      |
        | /images/1/url | invalid_url     |
        | /colour       | unknown_field   |
      And there is no product RUG-1

    Scenario Outline: A value of the wrong kind
      When the developer sends a new product
        """
        {"title": "Lamp", <member>}
        """
      Then it is refused and these places are named
        | place   | mistake   |
        | <place> | <mistake> |

      Examples:
        | member                                                   | place                  | mistake           |
        | "title_de": "Lampe"                                      | /title_de              | unknown_field     |
        | "price": 12.90                                           | /price                 | wrong_type        |
        | "price": {"amount": "1.00"}                              | /price/currency        | required          |
        | "price": {"amount": "1.00", "currency": "EUR", "vat": 1} | /price/vat             | unknown_field     |
        | "tags": ["desk", 7]                                      | /tags/1                | wrong_type        |
        | "attributes": {"a/b": {"value": "x", "unit": "cm"}}      | /attributes/a~1b/value | wrong_type        |
        | "rating": {"average": 5.5, "count": 1}                   | /rating/average        | out_of_range      |
        | "url": "javascript:alert(1)"                             | /url                   | invalid_url       |
        | "brand": "Bell \\u0007"                                  | /brand                 | control_character |
        | "sku": "A\\u0000B"                                       | /sku                   | control_character |
        | "quantity": 1e400                                        | /quantity              | wrong_type        |
        | "quantity": 9007199254740992                             | /quantity              | out_of_range      |
        | "images": {}                                             | /images                | wrong_type        |
        | "condition": "broken"                                    | /condition             | unknown_choice    |

  Rule: What is not JSON is refused before anything else

    Scenario Outline: Broken JSON: <what is wrong>
      When the developer sends a new product
        """
        <text>
        """
      Then it is refused because it is not JSON as RFC 8259 has it

      Examples:
        | text                                                            | what is wrong    |
        | {"title": "Lamp"                                                | it ends too soon |
        | {"title": "Lamp", "title": "Rug"}                               | a name twice     |
        | {"title": "Lamp", "quantity": NaN}                              | not a number     |
        | {"title": "Lamp", "rating": {"average": -Infinity, "count": 1}} | infinity         |
        | {"title": "\\ud800"}                                            | half a character |
        | {'title': 'Lamp'}                                               | wrong quotes     |
        | {"title": "Lamp",}                                              | a comma too many |

    Scenario: JSON nested too deeply
      When the developer sends JSON nested 65 deep
      Then it is refused because it is not JSON as RFC 8259 has it

    Scenario: JSON that is no product
      When the developer sends a new product
        """
        ["Lamp"]
        """
      Then it is refused and these places are named
        | place | mistake    |
        |       | wrong_type |

    Scenario: Something other than JSON
      When the developer sends a new product as "text/csv"
      Then it is refused because the catalog does not read that media type

    Scenario: A product too large to be one
      When the developer sends a new product of 10 megabytes
      Then it is refused because it is too large

  Rule: A wrong address or method is explained too

    Scenario: An address that leads nowhere
      When the developer reads "/v1/articles"
      Then it is refused because there is nothing at this address

    Scenario: A method that an address does not have
      When the developer deletes "/v1/products"
      Then it is refused because the address has no such method
      And the answer names the methods it has

    Scenario: An answer in a form that the catalog does not have
      When the developer reads "/v1/products/LAMP-1" as "text/csv"
      Then it is refused because the catalog does not write that media type

  Rule: Every explanation can be looked up

    Scenario Outline: A problem leads to its page
      When the developer makes the mistake "<mistake>"
      Then the problem has a title, a detail and the id of the request
      And its type leads to a page about "<code>"

      Examples:
        | mistake           | code              |
        | unknown product   | product_not_found |
        | unknown parameter | invalid_query     |
        | unknown field     | unknown_field     |
        | id in use         | id_taken          |
        | damaged cursor    | bad_cursor        |
