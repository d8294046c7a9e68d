/** What the screens of services ask for, by name. */
import type { Service } from '@kalnet/contracts/service'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'

const LIMIT = 200
/** More than any house has; the limit is for a list that never ends. */
const PAGES = 10

/** All of them: they are searched and filtered here, and changed by events. */
export const servicesQuery = queryOptions({
  queryKey: ['services'],
  queryFn: async ({ signal }) => {
    const items: Service[] = []
    let after: string | undefined
    for (let page = 0; page < PAGES; page++) {
      const { items: some, next } = await call(ROUTES.services.list, {
        query: { limit: LIMIT, after },
        signal,
      })
      items.push(...some)
      if (!next) break
      after = next
    }
    return { items }
  },
})
export const serviceQuery = (id: string) =>
  queryOptions({
    queryKey: ['service', id],
    queryFn: ({ signal }) => call(ROUTES.services.read, { params: { id }, signal }),
  })
/** Asked again whenever the service changed. */
export const healthQuery = (id: string) =>
  queryOptions({
    queryKey: ['service-more', id, 'health'],
    queryFn: ({ signal }) =>
      call(ROUTES.services.history, { params: { id }, query: { limit: LIMIT }, signal }),
  })
export const releasesQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['service-more', id, 'releases'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ signal, pageParam: after }) =>
      call(ROUTES.services.releases, { params: { id }, query: { after, limit: 20 }, signal }),
    getNextPageParam: ({ next }) => next ?? undefined,
  })
export const passwordsQuery = (id: string) =>
  queryOptions({
    queryKey: ['service-more', id, 'secrets'],
    queryFn: ({ signal }) => call(ROUTES.serviceSecrets.list, { params: { id }, signal }),
  })
export const serviceLogsQuery = (id: string, instance: string | undefined) =>
  queryOptions({
    queryKey: ['service-logs', id, instance ?? 'all'],
    staleTime: 0,
    refetchInterval: 3_000,
    queryFn: ({ signal }) =>
      call(ROUTES.services.logs, { params: { id }, query: { instance, lines: 2000 }, signal }),
  })
