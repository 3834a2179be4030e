Feature: Pricing
  Merchants change prices while shoppers browse.
  A shopper never sees a price that was not agreed, not even by a fraction of a cent.

  Background:
    Given a product LAMP-1 at 129.90 EUR

  Scenario: A new price is shown at once
    When the merchant sets the price of LAMP-1 to 99.00 EUR
    Then shoppers see LAMP-1 at 99.00 EUR

  Scenario: A product may have no price
    When the merchant clears the price of LAMP-1
    Then LAMP-1 has no price

  Rule: An amount is exact

    Scenario Outline: An amount is shown digit for digit as it was written: <what is special>
      When the merchant sets the price of LAMP-1 to <price>
      Then shoppers see LAMP-1 at <price>

      Examples:
        | price             | what is special                   |
        | 0.10 EUR          | no binary fraction is equal to it |
        | 19.99 USD         | the usual case                    |
        | 1234567890.12 EUR | more digits than a float shows    |
        | 1500 JPY          | a currency without a fraction     |
        | 4.250 KWD         | a currency with three digits      |
        | 0.00 EUR          | free of charge                    |

    Scenario: A number is kept as it was written, too
      When the merchant sets the price of LAMP-1 to the JSON number 20.10 in EUR
      Then shoppers see LAMP-1 at 20.10 EUR

    Scenario: A number that no float can hold is kept as it was written
      When the merchant sets the price of LAMP-1 to the JSON number 999999999999.9997 in CLF
      Then shoppers see LAMP-1 at 999999999999.9997 CLF

    Scenario Outline: Prices that are refused
      When the merchant sets the price of LAMP-1 to <price>
      Then it is refused because "price/<part>" <reason>
      And shoppers see LAMP-1 at 129.90 EUR

      Examples:
        | price             | part     | reason              |
        | 99.005 EUR        | amount   | has too many digits |
        | 99.5 JPY          | amount   | has too many digits |
        | 1000000000000 EUR | amount   | has too many digits |
        | -1.00 EUR         | amount   | is not an amount    |
        | 1,299.90 EUR      | amount   | is not an amount    |
        | 1e3 EUR           | amount   | is not an amount    |
        | free EUR          | amount   | is not an amount    |
        | 99.00 EURO        | currency | is not a currency   |
        | 99.00 eur         | currency | is not a currency   |
        | 99.00 XXX         | currency | is not a currency   |

  Rule: The list price is what the price is compared with

    Scenario: A list price above the price is a reduction
      When the merchant sets the list_price of LAMP-1 to 159.00 EUR
      Then it is accepted
      And LAMP-1 has the list_price 159.00 EUR

    Scenario: A list price below the price would be a lie
      When the merchant sets the list_price of LAMP-1 to 99.00 EUR
      Then it is refused because "list_price/amount" is below the price

    Scenario: A price cannot rise above the list price
      Given the list_price of LAMP-1 is 159.00 EUR
      When the merchant sets the price of LAMP-1 to 160.00 EUR
      Then it is refused because "list_price/amount" is below the price
      And shoppers see LAMP-1 at 129.90 EUR

    Scenario: Both prices are in one currency
      When the merchant sets the list_price of LAMP-1 to 159.00 USD
      Then it is refused because "list_price/currency" is another currency
