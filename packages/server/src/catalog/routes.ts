/** The catalog over HTTP. */
import { catalogRoutes } from '@kalnet/contracts/catalog'
import type { PlatformName } from '@kalnet/contracts/instance'
import { type Handler, handle } from '../core/http.ts'
import type { Catalog } from './catalog.ts'

export interface CatalogRoutesOptions {
  catalog: Catalog
  /** Where this organisation can start something now. */
  offered(organisationId: string): Promise<PlatformName[]>
}

export const routesOfCatalog = ({ catalog, offered }: CatalogRoutesOptions): Handler[] => [
  handle(catalogRoutes.list, async ({ actor }) => ({
    ...(await catalog.list()),
    offered: await offered(actor.organisationId),
  })),
  handle(catalogRoutes.read, ({ params }) => catalog.read(params.id)),
  handle(catalogRoutes.icon, async ({ params, reply }) => {
    const icon = await catalog.icon(params.id)
    // Opened by itself an SVG is a document: it may do nothing.
    reply.header(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox",
    )
    reply.header('cache-control', 'private, max-age=3600')
    reply.type('image/svg+xml')
    return icon
  }),
]
