Feature: Running the service
  Operators ask whether the service lives and serves; developers follow one request through the logs
  and read the documentation where the service runs, also without the internet.

  Background:
    Given a product LAMP-1

  Rule: The service says how it is

    Scenario Outline: A probe
      When an operator asks "<address>"
      Then the service says that all is well
      And nobody on the way keeps the answer

      Examples:
        | address |
        | /livez  |
        | /readyz |

    Scenario: Stopping in good order
      Given a service of its own
      When the operator stops the service
      Then the service has ended without an error

  Rule: Every answer can be traced

    Scenario: A caller's request id comes back
      When the developer reads LAMP-1 with the request id "checkout-4711"
      Then the answer has the request id "checkout-4711"

    Scenario: A request without an id gets one
      When the developer reads LAMP-1
      Then the answer has a request id

    Scenario Outline: A request id that could do harm is replaced
      When the developer reads LAMP-1 with the request id "<id>"
      Then the answer has another request id

      Examples:
        | id                 |
        | <script>           |
        | two words          |
        | {"json": "inside"} |

    Scenario: A refusal has the id of its request
      When the developer reads SOFA-9 with the request id "checkout-4711"
      Then it is refused because there is no such product
      And the problem names the request "checkout-4711"

  Rule: The service explains itself

    Scenario Outline: A page that needs nothing from elsewhere
      When the developer opens the page "<page>"
      Then it is a page
      And all that it loads comes from the service

      Examples:
        | page                        |
        | /                           |
        | /docs                       |
        | /redoc                      |
        | /problems/product_not_found |

    Scenario: The first page leads on
      When the developer opens the page "/"
      Then it links to "/docs"
      And it links to "/v1/products"

    Scenario: The contract as data
      When the developer reads "/openapi.json"
      Then it is an OpenAPI document that describes
        | path                        |
        | /v1/products                |
        | /v1/products/{id}           |
        | /v1/products/by-slug/{slug} |
        | /v1/categories              |
        | /v1/categories/{id}         |

  Rule: The service is a good citizen of the web

    Scenario Outline: The head of an answer without its body
      When the developer asks for the head of "<address>"
      Then it has the headers of the answer and no body

      Examples:
        | address             |
        | /v1/products/LAMP-1 |
        | /v1/products        |
        | /v1/categories      |
        | /livez              |

    Scenario: A long list travels compressed when the client can read it
      Given 50 products
      When the developer lists the products and can read gzip
      Then the answer came compressed and holds 51 products
