Feature: Many workers, one catalog
  A busy shop answers with several processes at once. Nobody who asks can tell
  them apart, and the merchant's file is one as ever.

  Background:
    Given the catalog is to be served by 3 workers
    And the file products.csv
      """
      id,title,price
      LAMP-1,Desk lamp,129.90 EUR
      RUG-1,Wool rug,89.00 EUR
      """
    And it is served

  Scenario: Everybody sees what was just saved
    When the merchant sets the price of LAMP-1 to 99.00 EUR
    Then all visitors see LAMP-1 at 99.00 EUR

  Scenario: A worker dies
    When the merchant sets the price of LAMP-1 to 99.00 EUR
    And a worker dies
    And the merchant sets the price of RUG-1 to 79.00 EUR
    Then all visitors see LAMP-1 at 99.00 EUR
    And all visitors see RUG-1 at 79.00 EUR

  Scenario: A worker hangs
    When the merchant sets the price of LAMP-1 to 99.00 EUR
    And a worker hangs and is replaced
    And the merchant sets the price of RUG-1 to 79.00 EUR
    Then all visitors see LAMP-1 at 99.00 EUR
    And all visitors see RUG-1 at 79.00 EUR

  Scenario: One file at the end
    When the merchant sets the price of LAMP-1 to 99.00 EUR
    And the service stops
    Then the file is
      """
      id,title,price
      LAMP-1,Desk lamp,99.00 EUR
      RUG-1,Wool rug,89.00 EUR
      """
