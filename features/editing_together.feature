Feature: Editing together
  Several people and programs edit one catalog.
  Nobody overwrites what somebody else has just saved without having seen it.

  Background:
    Given a product LAMP-1 at 129.90 EUR

  Scenario: Two merchants cannot overwrite each other
    Given Ada and Bob have both opened LAMP-1
    When Ada sets its price to 99.00 EUR
    And Bob sets its price to 89.00 EUR
    Then it is refused because someone else saved it first
    And shoppers see LAMP-1 at 99.00 EUR

  Scenario: Whoever looks again may save
    Given Ada and Bob have both opened LAMP-1
    When Ada sets its price to 99.00 EUR
    And Bob opens LAMP-1 again
    And Bob sets its price to 89.00 EUR
    Then it is accepted
    And shoppers see LAMP-1 at 89.00 EUR

  Scenario: A product is not removed under someone's hands
    Given Ada and Bob have both opened LAMP-1
    When Ada sets its price to 99.00 EUR
    And Bob removes it
    Then it is refused because someone else saved it first
    And there is a product LAMP-1

  Scenario: Whoever says nothing about what they saw overwrites
    Given Ada and Bob have both opened LAMP-1
    When Ada sets its price to 99.00 EUR
    And the merchant sets the price of LAMP-1 to 89.00 EUR
    Then it is accepted
    And shoppers see LAMP-1 at 89.00 EUR

  Scenario: Only the first of two may create a product
    When Ada creates RUG-1 unless it exists
    And Bob creates RUG-1 unless it exists
    Then it is refused because someone else saved it first
    And RUG-1 has the title "Ada's product"

  Scenario: Many who change different things at once lose nothing
    When 8 people each add their own tag to LAMP-1 at the same time, trying again until it works
    Then LAMP-1 has 8 tags
    And LAMP-1 has version 9

  Rule: Nothing is sent twice that the reader already has

    Scenario: A product that did not change is not sent again
      Given Ada and Bob have both opened LAMP-1
      When Ada asks whether LAMP-1 has changed
      Then Ada is told that nothing has changed

    Scenario: A product that changed is sent
      Given Ada and Bob have both opened LAMP-1
      When Bob sets its price to 89.00 EUR
      And Ada asks whether LAMP-1 has changed
      Then Ada gets LAMP-1 at 89.00 EUR
