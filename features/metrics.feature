Feature: The service in numbers
  Operators watch the catalog as they watch everything else: with Prometheus. Whichever
  worker is asked, the numbers are those of the whole service.

  Background:
    Given the catalog is to be served by 2 workers
    And the disk is one that can fail
    And the file products.csv
      """
      id,title,price
      LAMP-1,Desk lamp,129.90 EUR
      RUG-1,Wool rug,89.00 EUR
      """
    And it is served

  Scenario: What happens is counted
    When visitors read LAMP-1 20 times
    And the merchant sets the price of LAMP-1 to 99.00 EUR
    Then every worker counts 20 readings of a product
    And every worker counts 1 revision of a product
    And every worker says that vitrina_products is 2
    And every worker says that vitrina_store_read_only is 0

  Scenario: Nothing is forgotten when a worker dies
    Given visitors have read LAMP-1 20 times
    When a worker dies
    Then every worker counts 20 readings of a product
    And every worker says that vitrina_worker_deaths_total is 1
    And every worker says that vitrina_workers is 2

  Scenario: A failed sync is told everywhere, until a restart
    When the disk cannot sync any more
    And the merchant sets the price of LAMP-1 to 99.00 EUR
    Then it is refused because the catalog is read-only
    And every worker says that vitrina_store_read_only with the reason failed is 1
    And every probe of a worker says "fsync failed"
    And all visitors see LAMP-1 at 129.90 EUR
    When the service is restarted on a disk that is well
    And the merchant sets the price of LAMP-1 to 99.00 EUR
    Then all visitors see LAMP-1 at 99.00 EUR
    And every worker says that vitrina_store_read_only is 0

  Scenario: A full disk is told everywhere, until there is room
    When the disk is full
    And the merchant sets the price of LAMP-1 to 99.00 EUR
    Then it is refused because the catalog is read-only
    And every worker says that vitrina_store_read_only with the reason refused is 1
    And every probe of a worker says "read-only"
    When there is room again
    And the merchant sets the price of LAMP-1 to 99.00 EUR
    Then every worker says that vitrina_store_read_only is 0
    And all visitors see LAMP-1 at 99.00 EUR

  Scenario: A broken file is told everywhere
    When somebody saves the file broken
    Then every worker says that vitrina_catalog_source_stale is 1
    And every probe of a worker says "line 2"
