/** What of a resource is shown, and in which order and portion a list comes (RFC 7644 §3.4.2, §3.9). */
import type { ScimQuery, ScimResource } from '@kalnet/contracts/scim'
import { matches, parseFilter, pathOf, valuesAt } from './filter.ts'
import { refused } from './refusal.ts'

const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
export const MOST_RESULTS = 200
const USUAL_RESULTS = 100
/** Always there, whatever is asked for. */
const ALWAYS = ['schemas', 'id']

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const named = (text: string) =>
  text
    .split(',')
    .map((it) => it.trim())
    .filter(Boolean)
    .map((it) => pathOf(it).map((part) => part.toLowerCase()))

/** `wanted`: keep what is named. Otherwise: keep what is not. A whole attribute named stands for all of it. */
function pick(value: unknown, paths: string[][], wanted: boolean, top: boolean): unknown {
  if (Array.isArray(value)) return value.map((it) => pick(it, paths, wanted, false))
  if (!isObject(value)) return value
  const kept = Object.entries(value).flatMap(([name, inner]) => {
    if (top && ALWAYS.includes(name)) return [[name, inner]]
    const here = paths.filter((path) => path[0] === name.toLowerCase()).map((path) => path.slice(1))
    if (here.some((path) => path.length === 0)) return wanted ? [[name, inner]] : []
    if (here.length === 0) return wanted ? [] : [[name, inner]]
    return [[name, pick(inner, here, wanted, false)]]
  })
  return Object.fromEntries(kept)
}

export function shownOf(resource: ScimResource, query: ScimQuery): ScimResource {
  if (query.attributes) return pick(resource, named(query.attributes), true, true) as ScimResource
  if (query.excludedAttributes)
    return pick(resource, named(query.excludedAttributes), false, true) as ScimResource
  return resource
}

function wholeNumber(text: string | undefined, usual: number): number {
  if (text === undefined || text === '') return usual
  if (!/^-?\d{1,9}$/.test(text)) throw refused('invalidValue', 'startIndex and count are whole numbers.')
  return Number(text)
}

/** The primary value, else the first. */
function sortValue(resource: ScimResource, path: string[]): string | null {
  const found = valuesAt(resource, path)
  const chosen = found.find((it) => isObject(it) && it.primary === true) ?? found[0]
  const value = isObject(chosen) ? chosen.value : chosen
  return value === undefined || value === null ? null : String(value).toLowerCase()
}

function sorted(resources: ScimResource[], { sortBy, sortOrder = 'ascending' }: ScimQuery): ScimResource[] {
  if (!sortBy) return resources
  if (!['ascending', 'descending'].includes(sortOrder))
    throw refused('invalidValue', 'sortOrder is ascending or descending.')
  const path = pathOf(sortBy)
  const direction = sortOrder === 'descending' ? -1 : 1
  return resources
    .map((resource) => ({ resource, value: sortValue(resource, path) }))
    .sort((one, other) => {
      if (one.value === other.value) return 0
      // Who has none comes last when ascending, first when descending (RFC 7644 §3.4.2.3).
      if (one.value === null) return direction
      if (other.value === null) return -direction
      return one.value < other.value ? -direction : direction
    })
    .map(({ resource }) => resource)
}

export function listOf(all: ScimResource[], query: ScimQuery): ScimResource {
  const filter = query.filter ? parseFilter(query.filter) : null
  const found = sorted(filter ? all.filter((it) => matches(filter, it)) : all, query)
  const startIndex = Math.max(1, wholeNumber(query.startIndex, 1))
  const count = Math.min(MOST_RESULTS, Math.max(0, wholeNumber(query.count, USUAL_RESULTS)))
  const items = found.slice(startIndex - 1, startIndex - 1 + count)
  return {
    schemas: [LIST],
    totalResults: found.length,
    startIndex,
    itemsPerPage: items.length,
    Resources: items.map((it) => shownOf(it, query)),
  }
}
