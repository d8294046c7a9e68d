/** Proves a service on this machine: started until it is well, started afresh with what it kept, and taken away. */
import { chainOf } from '@kalnet/contracts/recipe'
import { recipesOf, type ServiceTemplate } from '@kalnet/contracts/template'
import type { Bench, ProofOfAny } from './prove.ts'
import { runService, type ServiceRunOptions } from './service-life.ts'

export interface ServiceProof extends ProofOfAny {
  /** From the order to start, images there, until every part was well. */
  healthyMs: number
}

/** `digest` and size are those of its first part's image; the sizes of all are added where there are several. */
export async function proofOfService(
  bench: Bench,
  template: ServiceTemplate,
  healthyMs: number,
): Promise<ServiceProof> {
  const built = await bench.images.list()
  const digests = recipesOf(template).map((name) => bench.images.digest(chainOf(name, bench.files.recipes)))
  const sizes = [...new Set(digests)].map(
    (digest) => built.find((it) => it.digest === digest)?.sizeBytes ?? 0,
  )
  return {
    version: template.version,
    digest: digests[0] ?? '',
    platform: bench.platform.name,
    sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
    healthyMs,
    at: new Date().toISOString(),
  }
}

export async function proveService(
  bench: Bench,
  template: ServiceTemplate,
  options: ServiceRunOptions,
): Promise<{ proof: ServiceProof; buildMs: number }> {
  if (template.parts.some(({ image }) => 'reference' in image))
    throw new Error('only services of our own recipes are proved')
  const begin = performance.now()
  const service = await runService(bench, template, options)
  const buildMs = performance.now() - begin - service.healthyMs
  try {
    options.report({ text: 'starting it afresh', share: 1 })
    await service.restart()
    return { proof: await proofOfService(bench, template, service.healthyMs), buildMs }
  } finally {
    await service.close()
  }
}
