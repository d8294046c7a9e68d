/** What Activity asks for, by name. */
import type { AuditFilter } from '@kalnet/contracts/audit'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'

const PAGE = 50
export type Filter = Partial<AuditFilter>

/** All that happened, for stewards; what I did, for everybody. */
export const activityQuery = (own: boolean, filter: Filter) =>
  infiniteQueryOptions({
    queryKey: ['activity', own ? 'own' : 'all', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ signal, pageParam: after }) =>
      call(own ? ROUTES.audit.mine : ROUTES.audit.list, { query: { ...filter, after, limit: PAGE }, signal }),
    getNextPageParam: ({ next }) => next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 0,
    // One's own comes without events; sealed rows are told by one, pending ones are not.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : 10_000),
  })
export const chainQuery = queryOptions({
  queryKey: ['audit', 'chain'],
  staleTime: 0,
  queryFn: ({ signal }) => call(ROUTES.audit.chain, { signal }),
})
/** Up to which place is sealed: written by live events. */
export const sealedQuery = queryOptions({
  queryKey: ['audit', 'sealed'],
  queryFn: (): string => '',
  enabled: false,
})
