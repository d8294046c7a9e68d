/** What is asked about instances: only while a page shows it and is in front, and never from what is remembered. */
import { queryOptions } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'

const EVERY_MS = 5_000
const how = { staleTime: 0, gcTime: 60_000, retry: false, refetchInterval: EVERY_MS } as const

export const sessionUseQuery = (id: string) =>
  queryOptions({
    queryKey: ['use', 'session', id],
    ...how,
    queryFn: ({ signal }) => call(ROUTES.uses.session, { params: { id }, signal }),
  })
export const serviceUseQuery = (id: string) =>
  queryOptions({
    queryKey: ['use', 'service', id],
    ...how,
    queryFn: ({ signal }) => call(ROUTES.uses.service, { params: { id }, signal }),
  })
