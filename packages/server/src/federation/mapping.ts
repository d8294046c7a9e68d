/** What the provider's groups mean here: rules in order, as data. */
import type { MappingRule } from '@kalnet/contracts/federation'
import type { Role } from '@kalnet/contracts/permission'

export interface Mapped {
  /** null: no rule speaks of roles, so the role here is nobody's business but ours. */
  role: Exclude<Role, 'owner'> | null
  /** Groups to be in, … */
  in: string[]
  /** … and, of the groups that rules speak of, those not to be in. */
  out: string[]
}

/** The first rule that fits and names a role decides it; every one that fits and names a group puts in it. */
export function mapGroups(
  rules: readonly MappingRule[],
  groups: readonly string[],
  defaultRole: Exclude<Role, 'owner'>,
): Mapped {
  const has = new Set(groups)
  const fits = rules.filter((rule) => has.has(rule.group))
  const inside = new Set(fits.flatMap((rule) => rule.groupId ?? []))
  const named = new Set(rules.flatMap((rule) => rule.groupId ?? []))
  return {
    role: rules.some((rule) => rule.role) ? (fits.find((rule) => rule.role)?.role ?? defaultRole) : null,
    in: [...inside],
    out: [...named].filter((id) => !inside.has(id)),
  }
}

/** What a provider said under this name: one text or a list of them; `realm_access.roles` goes into an object. */
export function groupsAt(claims: Record<string, unknown>, path: string): string[] {
  // A name with a dot of its own (an address, as many providers have) comes first.
  const value = path in claims ? claims[path] : path.split('.').reduce<unknown>(inside, claims)
  const list = Array.isArray(value) ? value : [value]
  return list.filter((it): it is string => typeof it === 'string' && it !== '').slice(0, 1_000)
}
const inside = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
