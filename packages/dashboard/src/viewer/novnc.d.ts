/** The parts of noVNC 1.7 that we use (docs/API.md of its repository); it ships no types. */
declare module '@novnc/novnc' {
  interface RfbEvents {
    connect: CustomEvent<Record<string, never>>
    disconnect: CustomEvent<{ clean: boolean }>
    clipboard: CustomEvent<{ text: string }>
    securityfailure: CustomEvent<{ status: number; reason?: string }>
  }
  export default class RFB {
    constructor(target: HTMLElement, channel: WebSocket, options?: { shared?: boolean })
    viewOnly: boolean
    focusOnClick: boolean
    scaleViewport: boolean
    resizeSession: boolean
    clipViewport: boolean
    background: string
    qualityLevel: number
    compressionLevel: number
    showDotCursor: boolean
    disconnect(): void
    focus(options?: FocusOptions): void
    blur(): void
    sendKey(keysym: number, code: string | null, down?: boolean): void
    sendCtrlAltDel(): void
    clipboardPasteFrom(text: string): void
    addEventListener<K extends keyof RfbEvents>(type: K, listener: (event: RfbEvents[K]) => void): void
    /** Internal to noVNC: true when a whole framebuffer update was handled. It offers no event for a drawn picture. */
    _framebufferUpdate?: () => boolean
    /** Internal to noVNC: true when one rectangle of pixels (no cursor, no size) was decoded. */
    _handleDataRect?: () => boolean
  }
}
