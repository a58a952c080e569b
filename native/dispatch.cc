// Any operator of libtorch, by its schema: arguments are converted as the schema says and the operator is called
// boxed, which passes through autograd. One function serves them all; TypeScript gives them names and types.
#include <ATen/core/dispatch/Dispatcher.h>

#include <cmath>
#include <sstream>

#include "handle.h"

namespace featmatch {
namespace {

struct Operator {
  std::string name;  // "aten::conv2d"
  c10::OperatorHandle handle;
};

std::vector<Operator>& operators() {
  static std::vector<Operator> table;
  return table;
}

bool is_missing(const Napi::Value& value) { return value.IsUndefined() || value.IsNull(); }

int64_t to_int(const Napi::Value& value, const std::string& where) {
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value() ? 1 : 0;
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), where + " is not a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (number != std::floor(number) || std::abs(number) > 9007199254740991.0) {
    throw Napi::TypeError::New(value.Env(), where + " is not an integer: " + std::to_string(number));
  }
  return static_cast<int64_t>(number);
}

double to_double(const Napi::Value& value, const std::string& where) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), where + " is not a number");
  return value.As<Napi::Number>().DoubleValue();
}

// A JavaScript number has one kind: an integer value becomes an integer scalar, which keeps integer tensors integer
// and makes no difference to floating-point ones.
at::Scalar to_scalar(const Napi::Value& value, const std::string& where) {
  if (value.IsBoolean()) return at::Scalar(value.As<Napi::Boolean>().Value());
  const double number = to_double(value, where);
  if (number == std::floor(number) && std::abs(number) < 9007199254740992.0) return at::Scalar(static_cast<int64_t>(number));
  return at::Scalar(number);
}

c10::IValue to_ivalue(const Napi::Value& value, const c10::TypePtr& type, const std::string& where);

c10::IValue to_list(const Napi::Value& value, const c10::TypePtr& element, const std::string& where) {
  if (!value.IsArray()) {
    // `int[2] stride` also takes one number, as in Python
    if (element->kind() == c10::TypeKind::IntType || element->kind() == c10::TypeKind::SymIntType) {
      return c10::IValue(std::vector<int64_t>{to_int(value, where)});
    }
    throw Napi::TypeError::New(value.Env(), where + " is not an array");
  }
  auto array = value.As<Napi::Array>();
  const uint32_t length = array.Length();
  auto at_index = [&](uint32_t i) { return where + "[" + std::to_string(i) + "]"; };
  switch (element->kind()) {
    case c10::TypeKind::TensorType:
      return c10::IValue(tensors_of(value, where));
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: {
      std::vector<int64_t> values(length);
      for (uint32_t i = 0; i < length; i++) values[i] = to_int(array.Get(i), at_index(i));
      return c10::IValue(std::move(values));
    }
    case c10::TypeKind::FloatType: {
      std::vector<double> values(length);
      for (uint32_t i = 0; i < length; i++) values[i] = to_double(array.Get(i), at_index(i));
      return c10::IValue(std::move(values));
    }
    default: {
      c10::impl::GenericList values(element);
      for (uint32_t i = 0; i < length; i++) values.push_back(to_ivalue(array.Get(i), element, at_index(i)));
      return c10::IValue(std::move(values));
    }
  }
}

c10::IValue to_ivalue(const Napi::Value& value, const c10::TypePtr& type, const std::string& where) {
  switch (type->kind()) {
    case c10::TypeKind::OptionalType:
      if (is_missing(value)) return c10::IValue();
      return to_ivalue(value, type->castRaw<c10::OptionalType>()->getElementType(), where);
    case c10::TypeKind::TensorType:
      return tensor_of(value, where);
    case c10::TypeKind::ListType:
      return to_list(value, type->castRaw<c10::ListType>()->getElementType(), where);
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return to_int(value, where);
    case c10::TypeKind::FloatType:
      return to_double(value, where);
    case c10::TypeKind::NumberType:
      return to_scalar(value, where);
    case c10::TypeKind::BoolType:
      if (!value.IsBoolean()) throw Napi::TypeError::New(value.Env(), where + " is not a boolean");
      return value.As<Napi::Boolean>().Value();
    case c10::TypeKind::StringType:
      return value.As<Napi::String>().Utf8Value();
    case c10::TypeKind::DeviceObjType:
      return c10::Device(value.As<Napi::String>().Utf8Value());
    case c10::TypeKind::GeneratorType:
      return generator_of(value, where);
    default:
      throw Napi::TypeError::New(value.Env(), where + " has a type that cannot be passed from JavaScript: " + type->str());
  }
}

Napi::Value to_javascript(Napi::Env env, c10::IValue value) {
  if (value.isTensor()) return value.toTensor().defined() ? wrap(env, std::move(value).toTensor()) : env.Null();
  if (value.isTensorList()) {
    const auto tensors = value.toTensorVector();
    auto array = Napi::Array::New(env, tensors.size());
    for (uint32_t i = 0; i < tensors.size(); i++) array.Set(i, wrap(env, tensors[i]));
    return array;
  }
  if (value.isNone()) return env.Null();
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isScalar()) return Napi::Number::New(env, value.toScalar().toDouble());
  throw Napi::TypeError::New(env, "an operator returned a value that cannot be passed to JavaScript: " + value.tagKind());
}

// operator(name, overload) → number: its place in the table.
Napi::Value find_operator(const Napi::CallbackInfo& info) {
  const auto name = info[0].As<Napi::String>().Utf8Value();
  const auto overload = info[1].As<Napi::String>().Utf8Value();
  return guarded(info.Env(), name, [&]() -> Napi::Value {
    operators().push_back({name, c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), overload.c_str())});
    return Napi::Number::New(info.Env(), static_cast<double>(operators().size() - 1));
  });
}

std::string call_of(const Operator& op, const torch::jit::Stack& stack) {
  std::ostringstream text;
  text << op.name << "(";
  for (size_t i = 0; i < stack.size(); i++) {
    if (i > 0) text << ", ";
    const auto& value = stack[i];
    if (value.isTensor() && value.toTensor().defined()) {
      text << describe(value.toTensor());
    } else if (value.isTensorList()) {
      text << value.toTensorVector().size() << " tensors";
    } else if (value.isInt() || value.isDouble() || value.isBool() || value.isIntList() || value.isDoubleList()) {
      text << value;
    } else {
      text << (value.isNone() ? "none" : value.tagKind());
    }
  }
  text << ")";
  return text.str();
}

// The arguments behind the operator's number, as its schema wants them.
torch::jit::Stack arguments_of(const Napi::CallbackInfo& info, const Operator& op) {
  const auto env = info.Env();
  const auto& parameters = op.handle.schema().arguments();
  if (info.Length() - 1 > parameters.size()) {
    throw Napi::TypeError::New(env, op.name + " takes " + std::to_string(parameters.size()) + " arguments, not " +
                                        std::to_string(info.Length() - 1));
  }
  torch::jit::Stack stack;
  stack.reserve(parameters.size());
  for (size_t i = 0; i < parameters.size(); i++) {
    const auto& parameter = parameters[i];
    const auto value = i + 1 < info.Length() ? info[i + 1] : env.Undefined();
    if (value.IsUndefined() && parameter.default_value()) {
      stack.push_back(*parameter.default_value());
      continue;
    }
    if (value.IsUndefined() && parameter.type()->kind() != c10::TypeKind::OptionalType) {
      throw Napi::TypeError::New(env, op.name + " needs its argument '" + parameter.name() + "'");
    }
    stack.push_back(to_ivalue(value, parameter.type(), op.name + ": argument '" + parameter.name() + "'"));
  }
  return stack;
}

// call(operator, ...arguments): missing trailing arguments take the schema's defaults. An argument that the operator
// writes to is not returned again: the caller has its handle.
Napi::Value call(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const auto& op = operators().at(info[0].As<Napi::Number>().Uint32Value());
  const auto& schema = op.handle.schema();
  auto stack = guarded(env, op.name, [&] { return arguments_of(info, op); });
  const auto arguments = stack;  // for the message: the call consumes the stack
  try {
    op.handle.callBoxed(&stack);
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, call_of(op, arguments) + ": " + message_of(error));
  }

  const auto& returns = schema.returns();
  auto result = [&](size_t i) -> Napi::Value {
    const auto* alias = returns[i].alias_info();
    if (alias != nullptr && alias->isWrite()) return env.Undefined();
    return to_javascript(env, std::move(stack[i]));
  };
  return guarded(env, op.name, [&]() -> Napi::Value {
    if (stack.empty()) return env.Undefined();
    if (stack.size() == 1) return result(0);
    auto array = Napi::Array::New(env, stack.size());
    for (uint32_t i = 0; i < stack.size(); i++) array.Set(i, result(i));
    return array;
  });
}

}  // namespace

void export_dispatch(Napi::Env env, Napi::Object exports) {
  exports.Set("operator", Napi::Function::New(env, find_operator, "operator"));
  exports.Set("call", Napi::Function::New(env, call, "call"));
}

}  // namespace featmatch
