import unittest

from app import answer


class AppTest(unittest.TestCase):
    def test_it_greets(self):
        status, body = answer("/")
        self.assertEqual(status, 200)
        self.assertTrue(body["message"].startswith("Hello"))

    def test_it_says_that_it_is_well(self):
        self.assertEqual(answer("/health"), (200, {"status": "ok"}))

    def test_it_knows_nothing_else(self):
        self.assertEqual(answer("/nothing")[0], 404)


if __name__ == "__main__":
    unittest.main()
