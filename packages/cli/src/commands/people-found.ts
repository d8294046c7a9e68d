/** Which person or group is meant on a command line: by id, either end of one, e-mail address or name. */
import { type Group, groupRoutes, type Person, peopleRoutes } from '@kalnet/contracts/people'
import { type Role, role } from '@kalnet/contracts/permission'
import type { AnswerOf } from '@kalnet/contracts/route'
import { nearest } from '@kalnet/server/core/nearest'
import type { Context } from '../context.ts'
import { usage } from '../problem.ts'

export const WHO = 'e-mail address, name, id, or either end of the id'
export const WHICH_GROUP = 'its name, its id, or either end of the id'

export const ROLES = role.options.join(', ')
export function roleOf(text: string): Role {
  const parsed = role.safeParse(text)
  if (parsed.success) return parsed.data
  throw usage(`There is no role ${text}.`, `The roles are ${ROLES}.`)
}

/** All pages of a list. */
export async function everything<T>(
  read: (after: string | undefined) => Promise<{ items: T[]; next: string | null }>,
): Promise<T[]> {
  const found: T[] = []
  let after: string | undefined
  do {
    const { items, next } = await read(after)
    found.push(...items)
    after = next ?? undefined
  } while (after)
  return found
}

type PeopleQuery = { search?: string; group?: string }
export const allPeople = ({ api }: Context, query: PeopleQuery = {}): Promise<Person[]> =>
  everything((after) => api.call(peopleRoutes.list, { query: { ...query, after, limit: 200 } }))
export const allGroups = ({ api }: Context): Promise<Group[]> =>
  everything<AnswerOf<typeof groupRoutes.list>['items'][number]>((after) =>
    api.call(groupRoutes.list, { query: { after, limit: 200 } }),
  )

interface Named {
  id: string
  name: string
  email?: string | null
}
export function meant<T extends Named>(all: readonly T[], wanted: string, kind: string, list: string): T {
  const same = (text: string | null | undefined) => text?.toLowerCase() === wanted.toLowerCase()
  const exact = all.filter((one) => one.id === wanted || same(one.email) || same(one.name))
  const ends = (one: T) => one.id.startsWith(wanted) || one.id.endsWith(wanted)
  const [first, second] = exact.length > 0 || wanted.length < 4 ? exact : all.filter(ends)
  if (!first) {
    const near = nearest(
      wanted,
      all.flatMap((one) => [one.name, ...(one.email ? [one.email] : [])]),
    )
    throw usage(`There is no ${kind} ${wanted}.`, near ? `Did you mean ${near}?` : `See \`${list}\`.`)
  }
  if (second)
    throw usage(`More than one ${kind} is meant by ${wanted}.`, 'Give the e-mail address or the whole id.')
  return first
}

export const findPerson = async (it: Context, wanted: string): Promise<Person> =>
  meant(await allPeople(it), wanted, 'person', 'kalnet user list')
export const findGroup = async (it: Context, wanted: string): Promise<Group> =>
  meant(await allGroups(it), wanted, 'group', 'kalnet group list')
export async function findGroups(it: Context, wanted: readonly string[]): Promise<Group[]> {
  if (wanted.length === 0) return []
  const all = await allGroups(it)
  return wanted.map((each) => meant(all, each, 'group', 'kalnet group list'))
}
