// Makes a fresh context a sandbox in which nothing lasts, and returns what compiles an expression.
(() => {
  "use strict"
  const MAX_DEPTH = 100, MAX_RESULT = 1048576, MAX_MESSAGE = 300
  const RealDate = Date, RealFunction = Function
  const { parse, stringify, rawJSON } = JSON
  const { getPrototypeOf, keys } = Object
  const show = RealFunction.prototype.call.bind(Object.prototype.toString)
  const time = RealFunction.prototype.call.bind(RealDate.prototype.getTime)
  const iso = RealFunction.prototype.call.bind(RealDate.prototype.toISOString)

  // --- Same input, same output: no clock, no chance ---------------------------------------------

  const noClock = () => { throw new TypeError("the current time is not available: the same input must give the same output") }
  function ClocklessDate(...args) {
    if (!new.target || args.length === 0) noClock()
    return Reflect.construct(RealDate, args, new.target)
  }
  Object.defineProperties(ClocklessDate, {
    name: { value: "Date" },
    prototype: { value: RealDate.prototype },
    length: { value: 7 },
    now: { value: noClock },
    parse: { value: RealDate.parse },
    UTC: { value: RealDate.UTC },
  })
  RealDate.prototype.constructor = ClocklessDate
  Object.defineProperty(globalThis, "Date", { value: ClocklessDate })
  Math.random = () => { throw new TypeError("random numbers are not available: the same input must give the same output") }

  // --- Lockdown: values only, no code from text, nothing that can be changed --------------------

  const allowed = new Set((
    "Object Array String Number Boolean BigInt Symbol Math JSON Date RegExp Map Set WeakMap WeakSet Proxy Reflect Iterator " +
    "Error AggregateError EvalError InternalError RangeError ReferenceError SyntaxError TypeError URIError ArrayBuffer DataView " +
    "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array " +
    "Float16Array Float32Array Float64Array parseInt parseFloat isNaN isFinite encodeURI encodeURIComponent decodeURI " +
    "decodeURIComponent escape unescape atob btoa Infinity NaN undefined globalThis"
  ).split(" "))
  for (const name of Reflect.ownKeys(globalThis)) if (!allowed.has(name)) delete globalThis[name]
  const functions = [function () {}, function* () {}, async function () {}, async function* () {}]
  for (const one of functions) delete getPrototypeOf(one).constructor

  const hidden = [
    ...functions, [].values(), [].values().map(one => one), "".matchAll(/a/g), ""[Symbol.iterator](), new Map().values(),
    new Set().values(), Iterator.from({ next() {} }), (function () { return arguments })(),
  ]
  const frozen = new Set()
  const waiting = [globalThis, ...hidden]
  while (waiting.length) {
    const one = waiting.pop()
    if (one === null || (typeof one !== "object" && typeof one !== "function") || frozen.has(one)) continue
    frozen.add(Object.freeze(one))
    waiting.push(getPrototypeOf(one))
    for (const key of Reflect.ownKeys(one)) {
      const { value, get, set } = Reflect.getOwnPropertyDescriptor(one, key)
      waiting.push(value, get, set)
    }
  }

  // --- Values in and out, as JSON ---------------------------------------------------------------

  // whole numbers beyond 2**53 become BigInt
  const exactly = (_, value, { source }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?[0-9]+$/.test(source) ? BigInt(source) : value

  const refuse = what => {
    throw new TypeError(`the result is ${what}: return text, a number, a boolean, a date, null, undefined, a list or an object`)
  }

  // a copy that is plain data: nothing of it can run when it is written as JSON
  const plain = (value, depth) => {
    switch (typeof value) {
      case "string": case "boolean": case "undefined": return value
      case "number": return Number.isFinite(value) ? value : refuse(value)
      case "bigint": return rawJSON(`${value}`)
      case "object": break
      default: refuse(`a ${typeof value}`)
    }
    if (value === null) return null
    if (depth === MAX_DEPTH) refuse(`nested more than ${MAX_DEPTH} times`)
    if (Array.isArray(value)) {
      const copy = []
      for (let i = 0; i < value.length; i++) copy[i] = plain(value[i], depth + 1)
      return copy
    }
    const prototype = getPrototypeOf(value)
    if (prototype !== null && prototype !== Object.prototype) return instant(value)
    const copy = { __proto__: null }
    for (const key of keys(value)) copy[key] = plain(value[key], depth + 1)
    return copy
  }

  const instant = value => {
    let at
    try { at = time(value) } catch { refuse(show(value)) }
    return Number.isNaN(at) ? refuse("an invalid date") : iso(value)
  }

  const message = error => {
    try { return (error instanceof Error ? `${error.name}: ${error.message}` : `${error}`).slice(0, MAX_MESSAGE) } catch {
      return "it threw what has no text"
    }
  }

  // `source` begins in line 4 of what is compiled; brackets besides parentheses, so that it cannot close them
  const compiled = (open, close, source) =>
    new RealFunction("value", "record", `"use strict"; return ${open}\n${source}\n${close}`)

  // The answer is JSON: the result in a list, an empty list for undefined, or a message. (A text that was put together
  // with + could not be returned: it is a rope, which the binding does not know.)
  return source => {
    const evaluate = compiled("(", ")", source)
    compiled("[", "]", source)
    return (text, isExact) => {
      try {
        const [record, value] = isExact ? parse(text, exactly) : parse(text)
        const result = evaluate(value, record)
        const answer = result === undefined ? "[]" : stringify([plain(result, 0)])
        return answer.length > MAX_RESULT ? stringify(`the result is longer than ${MAX_RESULT} characters`) : answer
      } catch (error) {
        return stringify(message(error))
      }
    }
  }
})()
