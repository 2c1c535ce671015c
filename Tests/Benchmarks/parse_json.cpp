// parse_json.cpp: the same as parse_json.c, by simdjson.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <simdjson.h>

int main(int count, char **arguments) {
    using clock = std::chrono::steady_clock;
    if (count != 3) return 64;
    simdjson::padded_string text;
    if (simdjson::padded_string::load(arguments[1]).get(text)) return 66;

    simdjson::dom::parser parser;
    size_t batch = 1000000 / text.size() + 1;
    double best = 1e9;
    auto end = clock::now() + std::chrono::duration<double>(atof(arguments[2]));
    while (clock::now() < end) {
        auto start = clock::now();
        for (size_t time = 0; time < batch; time++) {
            simdjson::dom::element document;
            if (parser.parse(text).get(document)) return 65;
        }
        std::chrono::duration<double> took = clock::now() - start;
        if (took.count() / double(batch) < best) best = took.count() / double(batch);
    }
    printf("{\"bytes\": %zu, \"bytes_per_second\": %.0f}\n", text.size(),
           double(text.size()) / best);
    return 0;
}
