/** What people choose: values that the tests of manifests and chart go through. */

export const CHOICES: Record<string, object> = {
  'nothing chosen': {},
  everything: {
    image:
      'registry.example.com/kalnet/kalnet@sha256:0000000000000000000000000000000000000000000000000000000000000000',
    imagePullSecrets: [{ name: 'registry' }],
    authorityFingerprint: '3A:4B',
    authorities: 'authorities',
    environment: { KALNET_LOG_LEVEL: 'debug', KALNET_MAIL_FROM: 'Käl "the" net <a@example.com>' },
    controlPlane: { storageClass: 'fast' },
    nats: { own: true },
    gateway: { enabled: true, replicas: 3, service: 'NodePort' },
    controller: {
      enabled: true,
      registry: 'https://registry.example.com/kalnet',
      pullSecret: 'registry',
      warm: 'used,terminal',
      storageClass: 'fast',
    },
    instances: { storageClass: 'slow', perOrganisation: true, quota: { instances: 7 }, most: { cpus: 4 } },
  },
  'what is there already': {
    postgres: { own: false },
    nats: { url: 'nats://nats.example.com:4222' },
    gateway: { service: 'ClusterIP', keepAddresses: false },
    controller: { enabled: true, readMachines: false, direct: false },
    instances: { create: false, namespace: 'elsewhere' },
    networkPolicies: false,
  },
}
