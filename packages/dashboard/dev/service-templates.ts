/** Templates of services in the stand-in's catalog: proved and not, with a question, with a port, using another. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'

type Brief = [string, string, string, CatalogEntry['category'], boolean]
const BRIEFS: Brief[] = [
  ['static-site', 'Static site', 'Pages of your own, shown to whoever you choose.', 'websites', true],
  ['radicale', 'Radicale', 'Calendars and address books for all your devices.', 'files', true],
  ['immich', 'Immich', 'Photos from every phone, safe at home.', 'media', false],
  ['node-red', 'Node-RED', 'Draw what shall happen when something happens.', 'automation', true],
  ['minetest-server', 'Luanti', 'A world of blocks for the children and their friends.', 'games', true],
]
export const SERVICE_TEMPLATES: CatalogEntry[] = BRIEFS.map(([id, name, summary, category, proved]) => ({
  id,
  kind: 'service',
  version: '1.2.0',
  name,
  summary,
  description: `${summary}\n\nIt keeps what people put into it on the machine it runs on, and starts again by itself.`,
  category,
  keywords: [],
  icon: `/api/templates/${id}/icon`,
  licence: 'Apache-2.0',
  docs: 'https://example.org/docs',
  platforms: ['process', 'docker'],
  inputs:
    id === 'static-site'
      ? [
          {
            name: 'heading',
            label: 'What stands at the top',
            type: 'text',
            required: true,
            maxLength: 60,
            environment: 'HEADING',
          },
        ]
      : [],
  memoryBytes: 256 * 2 ** 20,
  network: 'local',
  doors:
    id === 'minetest-server'
      ? [{ port: 'game', kind: 'udp', listen: 30_000, access: 'people', paths: [], appPasswords: false }]
      : [{ port: 'web', kind: 'http', access: 'people', paths: [], appPasswords: id === 'radicale' }],
  dependencies:
    id === 'node-red' ? [{ name: 'database', label: 'Where it keeps its data', required: true }] : [],
  replicasMost: id === 'static-site' ? 5 : 1,
  proved,
  deprecated: null,
}))
