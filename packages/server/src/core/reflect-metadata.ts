/**
 * The few functions of the metadata proposal that @peculiar/x509's container asks for when it is loaded. Import it
 * before that package. Kept here because the container uses no more than reading and writing one map per class.
 */
const kept = new WeakMap<object, Map<unknown, unknown>>()

const own = (key: unknown, target: object): unknown => kept.get(target)?.get(key)

function define(key: unknown, value: unknown, target: object): void {
  const map = kept.get(target) ?? new Map<unknown, unknown>()
  map.set(key, value)
  kept.set(target, map)
}

/** As the proposal says: the nearest up the prototype chain. */
function read(key: unknown, target: object): unknown {
  for (let at: object | null = target; at; at = Object.getPrototypeOf(at)) {
    if (kept.get(at)?.has(key)) return own(key, at)
  }
  return undefined
}

if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, {
    getMetadata: read,
    getOwnMetadata: own,
    defineMetadata: define,
    metadata: (key: unknown, value: unknown) => (target: object) => define(key, value, target),
  })
}
