/** What the screens ask for, by name: each list and thing has one key, which live events write to. */

import { PERMISSIONS } from 'virtual:contracts'
import type { Me } from '@kalnet/contracts/identity'
import type { Permission } from '@kalnet/contracts/permission'
import type { Session } from '@kalnet/contracts/session'
import { QueryClient, queryOptions, useQuery } from '@tanstack/react-query'
import { ApiProblem, call, ROUTES } from './api.ts'

export interface SessionPage {
  items: Session[]
  next: string | null
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 30 * 60_000,
      networkMode: 'always',
      refetchOnWindowFocus: false,
      retry: (count, problem) =>
        count < 2 && problem instanceof ApiProblem && (problem.status === 0 || problem.status >= 500),
      retryDelay: (count) => 400 * 2 ** count,
    },
    mutations: { networkMode: 'always' },
  },
})

export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: Number.POSITIVE_INFINITY,
  /** null: nobody is signed in. */
  queryFn: async ({ signal }): Promise<Me | null> => {
    try {
      return await call(ROUTES.identity.me, { signal })
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.status === 401) return null
      throw problem
    }
  },
})
export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => call(ROUTES.identity.status, { signal }),
})
export const templatesQuery = queryOptions({
  queryKey: ['templates'],
  staleTime: 5 * 60_000,
  queryFn: ({ signal }) => call(ROUTES.catalog.list, { signal }),
})
export const liveSessionsQuery = queryOptions({
  queryKey: ['sessions', 'live'],
  queryFn: ({ signal }): Promise<SessionPage> =>
    call(ROUTES.sessions.list, { query: { state: 'live', limit: 200 }, signal }),
})
export const endedSessionsQuery = queryOptions({
  queryKey: ['sessions', 'ended'],
  queryFn: ({ signal }): Promise<SessionPage> =>
    call(ROUTES.sessions.list, { query: { state: 'ended', limit: 8 }, signal }),
})
export const sessionQuery = (id: string) =>
  queryOptions({
    queryKey: ['session', id],
    queryFn: ({ signal }) => call(ROUTES.sessions.read, { params: { id }, signal }),
  })
export const logsQuery = (id: string) =>
  queryOptions({
    queryKey: ['logs', id],
    refetchInterval: 5_000,
    queryFn: ({ signal }) => call(ROUTES.sessions.logs, { params: { id }, signal }),
  })
export const viewingsQuery = (id: string) =>
  queryOptions({
    queryKey: ['viewings', id],
    refetchInterval: 15_000,
    queryFn: ({ signal }) => call(ROUTES.viewings.list, { params: { id }, signal }),
  })
export const controllersQuery = queryOptions({
  queryKey: ['controllers'],
  queryFn: ({ signal }) => call(ROUTES.controllers.list, { query: { limit: 200 }, signal }),
  // A heartbeat is no event; while somebody looks, memory and load are asked for at its pace.
  refetchInterval: 5_000,
})

/** What machines keep of sessions that do not run. */
export const homesQuery = queryOptions({
  queryKey: ['homes'],
  queryFn: ({ signal }) => call(ROUTES.controllers.homes, { signal }),
})

export const clusterQuery = (id: string) =>
  queryOptions({
    queryKey: ['cluster', id],
    queryFn: ({ signal }) => call(ROUTES.controllers.cluster, { params: { id }, signal }),
  })

/** The signed-in person. Only for screens inside the shell, which shows them to nobody else. */
export function useMe(): Me {
  const { data } = useQuery(meQuery)
  if (!data) throw new Error('no signed-in person')
  return data
}

/** May this person do this to anything at all? The server decides; screens only leave out what it would refuse. */
export function may(me: Me, permission: Permission): boolean {
  const grant = PERMISSIONS[permission]
  return grant === 'public' || grant[me.role] !== undefined
}
