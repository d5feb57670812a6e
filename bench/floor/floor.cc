// The smallest functions that cross between JavaScript and C++, once in plain Node-API and once through node-addon-api's
// classes. What they cost is what no addon can go below.
#include <napi.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr size_t kShortBytes = 64;
constexpr size_t kTextBytes = 100;
constexpr size_t kElements = 10;
constexpr size_t kElementBytes = 12;
char text[kTextBytes];

napi_value Empty(napi_env, napi_callback_info) { return nullptr; }

napi_value FirstArgument(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  return argument;
}

napi_value StringIn(napi_env env, napi_callback_info info) {
  char bytes[kShortBytes];
  size_t length = 0;
  napi_get_value_string_latin1(env, FirstArgument(env, info), bytes, kShortBytes, &length);
  napi_value answer = nullptr;
  napi_create_uint32(env, static_cast<uint32_t>(length) + static_cast<uint8_t>(bytes[0]), &answer);
  return answer;
}

napi_value StringOut(napi_env env, napi_callback_info) {
  napi_value answer = nullptr;
  napi_create_string_latin1(env, text, kTextBytes, &answer);
  return answer;
}

napi_value BufferIn(napi_env env, napi_callback_info info) {
  void* bytes = nullptr;
  size_t length = 0;
  napi_get_buffer_info(env, FirstArgument(env, info), &bytes, &length);
  napi_value answer = nullptr;
  const uint32_t first = length > 0 ? *static_cast<uint8_t*>(bytes) : 0;
  napi_create_uint32(env, static_cast<uint32_t>(length) + first, &answer);
  return answer;
}

napi_value BufferOut(napi_env env, napi_callback_info) {
  napi_value answer = nullptr;
  napi_create_buffer_copy(env, kTextBytes, text, nullptr, &answer);
  return answer;
}

napi_value Element(napi_env env) {
  napi_value element = nullptr;
  napi_create_string_latin1(env, text, kElementBytes, &element);
  return element;
}

napi_value ArraySet(napi_env env, napi_callback_info) {
  napi_value answer = nullptr;
  napi_create_array_with_length(env, kElements, &answer);
  for (size_t i = 0; i < kElements; i++) napi_set_element(env, answer, i, Element(env));
  return answer;
}

// Its argument is a function that gives its arguments as an array.
napi_value ArrayCalled(napi_env env, napi_callback_info info) {
  napi_value elements[kElements];
  for (napi_value& element : elements) element = Element(env);
  napi_value nothing = nullptr;
  napi_value answer = nullptr;
  napi_get_undefined(env, &nothing);
  napi_call_function(env, nothing, FirstArgument(env, info), kElements, elements, &answer);
  return answer;
}

Napi::Value WrappedEmpty(const Napi::CallbackInfo& info) { return info.Env().Undefined(); }

Napi::Value WrappedStringIn(const Napi::CallbackInfo& info) {
  const std::string bytes = info[0].As<Napi::String>();
  return Napi::Number::New(info.Env(), bytes.length() + static_cast<uint8_t>(bytes[0]));
}

Napi::Value WrappedStringOut(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), text, kTextBytes);
}

Napi::Value WrappedBufferIn(const Napi::CallbackInfo& info) {
  const auto bytes = info[0].As<Napi::Buffer<uint8_t>>();
  return Napi::Number::New(info.Env(), bytes.Length() + (bytes.Length() > 0 ? bytes[0] : 0));
}

Napi::Value WrappedBufferOut(const Napi::CallbackInfo& info) {
  return Napi::Buffer<char>::Copy(info.Env(), text, kTextBytes);
}

Napi::Value WrappedArraySet(const Napi::CallbackInfo& info) {
  auto answer = Napi::Array::New(info.Env(), kElements);
  for (uint32_t i = 0; i < kElements; i++) answer[i] = Napi::String::New(info.Env(), text, kElementBytes);
  return answer;
}

Napi::Value WrappedArrayCalled(const Napi::CallbackInfo& info) {
  std::vector<napi_value> elements(kElements);
  for (napi_value& element : elements) element = Napi::String::New(info.Env(), text, kElementBytes);
  return info[0].As<Napi::Function>().Call(elements);
}

void Plain(Napi::Env env, Napi::Object into, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  into.Set(name, Napi::Function(env, function));
}

Napi::Object Load(Napi::Env env, Napi::Object exports) {
  std::memset(text, 'v', kTextBytes);
  auto plain = Napi::Object::New(env);
  Plain(env, plain, "empty", Empty);
  Plain(env, plain, "stringIn", StringIn);
  Plain(env, plain, "stringOut", StringOut);
  Plain(env, plain, "bufferIn", BufferIn);
  Plain(env, plain, "bufferOut", BufferOut);
  Plain(env, plain, "arraySet", ArraySet);
  Plain(env, plain, "arrayCalled", ArrayCalled);
  auto wrapped = Napi::Object::New(env);
  wrapped.Set("empty", Napi::Function::New(env, WrappedEmpty));
  wrapped.Set("stringIn", Napi::Function::New(env, WrappedStringIn));
  wrapped.Set("stringOut", Napi::Function::New(env, WrappedStringOut));
  wrapped.Set("bufferIn", Napi::Function::New(env, WrappedBufferIn));
  wrapped.Set("bufferOut", Napi::Function::New(env, WrappedBufferOut));
  wrapped.Set("arraySet", Napi::Function::New(env, WrappedArraySet));
  wrapped.Set("arrayCalled", Napi::Function::New(env, WrappedArrayCalled));
  exports.Set("plain", plain);
  exports.Set("wrapped", wrapped);
  return exports;
}

}  // namespace

NODE_API_MODULE(floor, Load)
