/** What the screens of certificates ask for, by name. */
import type { Certificate } from '@kalnet/contracts/certificate'
import { queryOptions } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'

const AT_WORK_MS = 3_000
const AT_REST_MS = 60_000

export const certificatesQuery = queryOptions<{ items: Certificate[] }>({
  queryKey: ['certificates'],
  // Faster while one is being ordered, so that its steps are seen.
  refetchInterval: ({ state }) =>
    state.data?.items.some((it) => it.step !== null || it.state === 'ordering') ? AT_WORK_MS : AT_REST_MS,
  queryFn: ({ signal }) => call(ROUTES.certificates.list, { query: { limit: 200 }, signal }),
})
export const hostsQuery = queryOptions({
  queryKey: ['certificates', 'hosts'],
  queryFn: ({ signal }) => call(ROUTES.certificates.hosts, { signal }),
})
export const authorityQuery = queryOptions({
  queryKey: ['certificates', 'authority'],
  staleTime: 5 * 60_000,
  queryFn: ({ signal }) => call(ROUTES.certificates.authority, { signal }),
})
