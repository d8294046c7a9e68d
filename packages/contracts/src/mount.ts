/** An address that another protocol owns (OpenID Connect, a proxy's question): declared as data, so that the one pipeline still guards it. */
export interface Mounted {
  methods: readonly ('GET' | 'HEAD' | 'POST' | 'OPTIONS')[]
  /** Fastify's form. */
  path: `/${string}`
  summary: string
  /** 'any': programs and other sites may ask, the protocol itself judges them. 'same': a browser asks from our own pages only. */
  origin: 'any' | 'same'
  /** Largest body. */
  bodyBytes: number
  /** Of one network. */
  perMinute: number
}
