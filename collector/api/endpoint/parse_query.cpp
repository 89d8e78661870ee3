// GET or POST /api/v1/parse_query?query=: the query as a tree, for editors.
// Source:
// https://prometheus.io/docs/prometheus/latest/querying/api/#parsing-a-promql-expressions-into-a-abstract-syntax-tree-ast
#include <nlohmann/json.hpp>

#include "collector/api/prometheus.hpp"
#include "collector/promql/function/function.hpp"
#include "collector/promql/number.hpp"
#include "collector/promql/parser.hpp"

namespace ward::collector::api {
namespace {

using Json = nlohmann::json;

Json tree_of(const promql::Node& node);

std::string type_name(promql::ValueType type) {
  switch (type) {
    case promql::ValueType::scalar: return "scalar";
    case promql::ValueType::vector: return "vector";
    case promql::ValueType::matrix: return "matrix";
    case promql::ValueType::string: return "string";
  }
  return "none";
}

Json texts(const std::vector<std::string>& list) { return list.empty() ? Json::array() : Json(list); }

Json matchers(const std::vector<Matcher>& list) {
  static constexpr const char* kOps[] = {"=", "!=", "=~", "!~"};
  auto out = Json::array();
  for (const auto& m : list)
    out.push_back({{"name", m.name()}, {"type", kOps[static_cast<std::size_t>(m.op())]}, {"value", m.value()}});
  return out;
}

void add_when(Json& out, const promql::TimeModifiers& when) {
  out["offset"] = when.offset.count();
  out["timestamp"] = when.point == promql::AtPoint::fixed ? Json(to_ms(when.at)) : Json(nullptr);
  out["startOrEnd"] = when.point == promql::AtPoint::start ? Json("start")
                      : when.point == promql::AtPoint::end ? Json("end")
                                                           : Json(nullptr);
}

Json matching_of(const promql::VectorMatching& matching) {
  static constexpr const char* kCards[] = {"one-to-one", "many-to-one", "one-to-many", "many-to-many"};
  return {{"card", kCards[static_cast<std::size_t>(matching.card)]},
          {"labels", texts(matching.labels)},
          {"on", matching.on},
          {"include", texts(matching.include)}};
}

struct Writer {
  Json operator()(const promql::NumberLiteral& n) const {
    std::string value;
    prometheus::append_number(value, n.value);
    return {{"type", "numberLiteral"}, {"val", value}};
  }
  Json operator()(const promql::StringLiteral& n) const { return {{"type", "stringLiteral"}, {"val", n.value}}; }
  Json operator()(const promql::VectorSelector& n) const {
    Json out{{"type", "vectorSelector"}, {"name", n.name}, {"matchers", matchers(n.matchers)}};
    add_when(out, n.when);
    return out;
  }
  Json operator()(const promql::MatrixSelector& n) const {
    auto out = (*this)(n.vector);
    out["type"] = "matrixSelector";
    out["range"] = n.range.count();
    return out;
  }
  Json operator()(const promql::Subquery& n) const {
    Json out{{"type", "subquery"}, {"expr", tree_of(*n.expr)}, {"range", n.range.count()}, {"step", n.step.count()}};
    add_when(out, n.when);
    return out;
  }
  Json operator()(const promql::Call& n) const {
    auto args = Json::array();
    for (const auto& arg : n.args) args.push_back(tree_of(*arg));
    auto types = Json::array();
    for (const auto type : n.function->args()) types.push_back(type_name(type));
    return {{"type", "call"},
            {"func",
             {{"name", n.function->name},
              {"argTypes", types},
              {"variadic", n.function->variadic},
              {"returnType", type_name(n.function->result)}}},
            {"args", args}};
  }
  Json operator()(const promql::Aggregate& n) const {
    return {{"type", "aggregation"},         {"op", promql::to_string(n.op)},
            {"expr", tree_of(*n.expr)},      {"param", n.param ? tree_of(*n.param) : Json(nullptr)},
            {"grouping", texts(n.grouping)}, {"without", n.without}};
  }
  Json operator()(const promql::Binary& n) const {
    const bool vectors =
        promql::type_of(*n.lhs) == promql::ValueType::vector && promql::type_of(*n.rhs) == promql::ValueType::vector;
    return {{"type", "binaryExpr"},
            {"op", promql::to_string(n.op)},
            {"lhs", tree_of(*n.lhs)},
            {"rhs", tree_of(*n.rhs)},
            {"matching", vectors ? matching_of(n.matching) : Json(nullptr)},
            {"bool", n.return_bool}};
  }
  Json operator()(const promql::Unary& n) const {
    return {{"type", "unaryExpr"}, {"op", n.negative ? "-" : "+"}, {"expr", tree_of(*n.expr)}};
  }
  Json operator()(const promql::Paren& n) const { return {{"type", "parenExpr"}, {"expr", tree_of(*n.expr)}}; }
};

Json tree_of(const promql::Node& node) { return std::visit(Writer{}, node.data); }

Result<http::ServerResponse> run(const View&, const http::ServerRequest& request, prometheus::Turn&) {
  const auto expr = promql::parse(parameter(request, "query"));
  if (!expr) return prometheus::bad_parameter("query", expr.error().what);
  return prometheus::success(tree_of(expr->root()).dump(-1, ' ', false, Json::error_handler_t::replace));
}

async::Task<http::ServerResponse> answer_parse_query(View& view, http::ServerRequest request) {
  return prometheus::on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint parse_query_endpoint() {
  return {"/api/v1/parse_query", "A query as a tree", answer_parse_query, Methods::get_and_post};
}

}  // namespace ward::collector::api
