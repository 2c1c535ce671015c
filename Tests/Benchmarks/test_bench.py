# test_bench.py: the arithmetic and the readings a wrong ratio could come from.
#
# python3 -m unittest discover -s Tests/Benchmarks

import unittest

import report
from machine import BenchError
from pki import luhn_key, rpps_identifier
from rows import Row, parse_wrk

WRK = """Running 5s test @ https://localhost:1/fhir/Patient/1
  1 threads and 64 connections
  Latency Distribution
     50%    1.76ms
     75%    2.00ms
     90%    3.10ms
     99%  {p99}
  31252 requests in 5.00s, 37.00MB read
{trouble}Requests/sec:  31252.00
"""


class Ratios(unittest.TestCase):
    def row(self, **costs: list[float]) -> Row:
        return Row("r", "Row", "cost", "µs", {"haproxy": 0.75},
                   samples={name: [{"cost": one} for one in values]
                            for name, values in costs.items()})

    def test_pair_the_rounds(self):
        # The machine was twice as slow in the second round, for both.
        row = self.row(herse=[10, 20, 12], haproxy=[20, 40, 20])
        self.assertEqual(row.ratios("herse", "haproxy"), [0.5, 0.5, 0.6])

    def test_are_judged_by_their_median(self):
        self.assertEqual(report.targets(self.row(herse=[7, 7, 9], haproxy=[10] * 3), "herse"),
                         [True])
        self.assertEqual(report.targets(self.row(herse=[7, 8, 8], haproxy=[10] * 3), "herse"),
                         [False])
        self.assertIn("MISSED", report.ratio_cell(
            self.row(herse=[8], haproxy=[10]), "herse", "haproxy"))

    def test_may_have_to_be_as_high_as_told(self):
        for value, reached in ((20_001, True), (19_999, False)):
            row = Row("r", "Row", "rate", "/s", value_least=20_000, decimals=0,
                      samples={"herse": [{"rate": value}]})
            self.assertEqual(report.targets(row, "herse"), [reached])
            self.assertIn("reached" if reached else "MISSED", report.value_cell(row, "herse"))

    def test_promise_nothing_for_a_peer_or_without_samples(self):
        self.assertEqual(report.targets(self.row(haproxy=[1], nginx=[9]), "haproxy"), [])
        self.assertEqual(report.targets(self.row(haproxy=[1]), "herse"), [])
        self.assertEqual(report.ratio_cell(self.row(haproxy=[1]), "herse", "haproxy"), "–")


class WrkReports(unittest.TestCase):
    def test_give_percentiles_in_microseconds(self):
        for written, microseconds in (("4.64ms", 4640), ("815.00us", 815), ("1.20s", 1_200_000)):
            self.assertEqual(parse_wrk(WRK.format(p99=written, trouble="")),
                             {"p50_us": 1760, "p99_us": microseconds})

    def test_with_errors_are_refused(self):
        for trouble in ("  Non-2xx or 3xx responses: 12\n",
                        "  Socket errors: connect 0, read 3, write 0, timeout 0\n"):
            with self.assertRaises(BenchError):
                parse_wrk(WRK.format(p99="4.64ms", trouble=trouble))

    def test_without_percentiles_are_refused(self):
        with self.assertRaises(BenchError):
            parse_wrk("unable to connect to localhost:1 Connection refused\n")


class Identifiers(unittest.TestCase):
    def test_carry_the_key_of_known_numbers(self):
        for number in ("99700218896", "99700427885", "10002813839"):
            self.assertEqual(luhn_key(number[:-1]), number[-1])

    def test_are_twelve_digits_that_begin_with_8(self):
        for number in (0, 1, 105_000, 999_999):
            identifier = rpps_identifier(number)
            self.assertRegex(identifier, r"^8\d{11}$")
            self.assertEqual(luhn_key(identifier[1:-1]), identifier[-1])


if __name__ == "__main__":
    unittest.main()
