/** What the screens of apps ask for, by name. */
import { queryOptions } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'

export const appsQuery = queryOptions({
  queryKey: ['apps'],
  queryFn: ({ signal }) => call(ROUTES.apps.list, { query: { limit: 200 }, signal }),
})
export const issuerQuery = queryOptions({
  queryKey: ['apps', 'issuer'],
  staleTime: 5 * 60_000,
  queryFn: ({ signal }) => call(ROUTES.apps.issuer, { signal }),
})
export const guardedQuery = queryOptions({
  queryKey: ['forward-routes'],
  queryFn: ({ signal }) => call(ROUTES.forwards.list, { query: { limit: 200 }, signal }),
})
export const myAppsQuery = queryOptions({
  queryKey: ['my-apps'],
  queryFn: ({ signal }) => call(ROUTES.apps.mine, { signal }),
})
export const placesQuery = queryOptions({
  queryKey: ['app-passwords', 'places'],
  queryFn: ({ signal }) => call(ROUTES.forwards.places, { signal }),
})
export const appPasswordsQuery = queryOptions({
  queryKey: ['app-passwords'],
  queryFn: ({ signal }) => call(ROUTES.forwards.passwords, { signal }),
})
