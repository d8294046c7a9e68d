/** The shapes of `virtual:contracts` (build/virtual-contracts.ts), typed by the contracts themselves. */
declare module 'virtual:contracts' {
  type All = Omit<
    typeof import('@kalnet/contracts/routes').ROUTES,
    'dashboard' | 'joinedGateways' | 'keepers' | 'local' | 'registry' | 'scim'
  >
  /** Where a route is; what it takes and answers is known to the type checker only. */
  export interface Address<R> {
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
    path: string
    of?: R
  }
  export const ROUTES: { [Area in keyof All]: { [Name in keyof All[Area]]: Address<All[Area][Name]> } }
  export const PERMISSIONS: Record<
    import('@kalnet/contracts/permission').Permission,
    Partial<Record<import('@kalnet/contracts/permission').Role, 'own' | 'organisation'>> | 'public'
  >
  export const STAGES: typeof import('@kalnet/contracts/session').STAGES
  export const LIVE_PATH: string
  export const STREAM_PATH: string
  export const STREAM_PROTOCOL: string
  export const TICKET_PREFIX: string
  export const VIEWING_EVERY_MS: number
  export const STREAM_CLOSE: typeof import('@kalnet/contracts/stream').STREAM_CLOSE
}

declare module '@fontsource-variable/inter/files/*'
