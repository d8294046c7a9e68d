/** `kalnet render`: the files for running Kalnet on Docker, behind Traefik and on a cluster, from the configuration and the routes there are. */
import { mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type GatewayRoute, gatewayRoutes } from '@kalnet/contracts/gateway'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { stringify } from 'yaml'
import type { AddCommand, Context } from '../context.ts'
import { CliProblem, EXIT } from '../problem.ts'
import { composePlain, composeProduction, type OpenPort } from '../render/compose.ts'
import { dockerfile } from '../render/dockerfile.ts'
import { environmentExample } from '../render/environment.ts'
import { traefikAtStart, traefikStatic } from '../render/static.ts'
import { everything } from './people-found.ts'
import { type ClusterFlags, renderCluster } from './render-kubernetes.ts'

interface Flags extends ClusterFlags {
  kubernetes?: boolean
}
/** Without a running Kalnet there are no routes to be told of; everything else is the same. */
async function routesNow(it: Context): Promise<{ open: OpenPort[]; dynamic: object | null }> {
  try {
    const routes = await everything<GatewayRoute>((after) =>
      it.api.call(gatewayRoutes.list, { query: { after, limit: 200 } }),
    )
    const open = routes.flatMap(({ match }): OpenPort[] =>
      match.kind === 'http' ? [] : [{ kind: match.kind, port: match.listen }],
    )
    const dynamic = await it.api.call(gatewayRoutes.traefik, { query: { reach: 'any' } })
    return { open: unique(open), dynamic }
  } catch (error) {
    if (!(error instanceof CliProblem && error.exit === EXIT.notRunning)) throw error
    it.output.note('Kalnet does not run here: the files are made without routes.')
    return { open: [], dynamic: null }
  }
}
const unique = (ports: OpenPort[]) =>
  [...new Map(ports.map((it) => [`${it.kind} ${it.port}`, it])).values()].toSorted((a, b) => a.port - b.port)

/** Path below the folder → text. */
export function renderAll({
  open,
  dynamic,
}: {
  open: readonly OpenPort[]
  dynamic: object | null
}): Record<string, string> {
  return {
    'docker-compose.yml': composePlain(),
    'docker-compose.prod.yml': composeProduction(open),
    Dockerfile: dockerfile(),
    '.env.example': environmentExample(),
    'traefik/traefik.yml': traefikStatic(open),
    'traefik/compose/kalnet.yml': traefikAtStart(),
    ...(dynamic ? { 'traefik/dynamic/kalnet.yml': stringify(dynamic, { lineWidth: 0 }) } : {}),
  }
}

export const addRender: AddCommand = (program, context) => {
  program
    .command('render')
    .description(
      'write the files for Docker and Traefik: compose files, .env.example, static and dynamic configuration',
    )
    .option('--to <folder>', 'where they are written (default: deploy/compose, deploy/kubernetes)')
    .option('--kubernetes', 'the manifests for a cluster instead; the same as the chart gives')
    .option('--values <file>', 'with --kubernetes: values as the chart takes them')
    .option('--name <name>', 'with --kubernetes: what this installation is called (default: kalnet)')
    .option('--namespace <name>', 'with --kubernetes: where it is (default: kalnet)')
    .option('--print', 'show them instead of writing them')
    .addHelpText(
      'after',
      '\nExamples:\n  kalnet render\n  kalnet render --to /srv/kalnet\n  kalnet render --print\n  kalnet render --json\n  kalnet render --kubernetes --values mine.yaml --print | kubectl apply -f -',
    )
    .action(async (flags: Flags) => {
      const it = context()
      if (flags.kubernetes) return renderCluster(it, flags)
      const files = renderAll(await routesNow(it))
      if (flags.print) {
        const text = Object.entries(files).flatMap(([path, content]) => [
          `# ----- ${path}`,
          content.trimEnd(),
          '',
        ])
        it.output.result(text, { files })
        return
      }
      const folder = resolve(flags.to ?? 'deploy/compose')
      const written: { path: string; changed: boolean }[] = []
      for (const [name, content] of Object.entries(files)) {
        const path = join(folder, name)
        const changed = (await readIfThere(path)) !== content
        if (changed) {
          await mkdir(dirname(path), { recursive: true })
          await writeWhole(path, content, 0o644)
        }
        written.push({ path, changed })
      }
      const lines = written.map(({ path, changed }) => `${changed ? 'written  ' : 'as it was'}  ${path}`)
      it.output.result(lines, { folder, files: written })
    })
}
