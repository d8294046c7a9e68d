/** What the screens of people ask for, by name. */
import type { Role } from '@kalnet/contracts/permission'
import { infiniteQueryOptions, keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import { ROLE_WORDS } from './words.ts'

const PAGE = 100
export const peopleQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: ['people', 'search', search],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ signal, pageParam: after }) =>
      call(ROUTES.people.list, { query: { after, limit: PAGE, search: search || undefined }, signal }),
    getNextPageParam: ({ next }) => next ?? undefined,
    placeholderData: keepPreviousData,
  })
/** Everybody of a household or team at once, for choosing from. */
export const everybodyQuery = queryOptions({
  queryKey: ['people', 'all'],
  queryFn: ({ signal }) => call(ROUTES.people.list, { query: { limit: 200 }, signal }),
})
export const membersQuery = (group: string) =>
  queryOptions({
    queryKey: ['people', 'group', group],
    staleTime: 0,
    queryFn: ({ signal }) => call(ROUTES.people.list, { query: { limit: 200, group }, signal }),
  })
export const personQuery = (id: string) =>
  queryOptions({
    queryKey: ['person', id],
    // Devices and sessions come and go without an event about the person; while somebody looks, they are asked for.
    refetchInterval: 10_000,
    queryFn: ({ signal }) => call(ROUTES.people.read, { params: { id }, signal }),
  })
export const groupsQuery = queryOptions({
  queryKey: ['groups'],
  queryFn: ({ signal }) => call(ROUTES.groups.list, { query: { limit: 200 }, signal }),
})
export const invitationsQuery = queryOptions({
  queryKey: ['invitations'],
  queryFn: ({ signal }) => call(ROUTES.invitations.list, { query: { limit: 200 }, signal }),
})
export const organisationQuery = queryOptions({
  queryKey: ['organisation'],
  staleTime: 5 * 60_000,
  queryFn: ({ signal }) => call(ROUTES.organisations.read, { signal }),
})

/** Roles as this household or team calls them. */
export function useRoleWords(): Record<Role, string> {
  const { data } = useQuery(organisationQuery)
  return ROLE_WORDS[data?.kind ?? 'household']
}
