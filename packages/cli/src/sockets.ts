/** The two sockets of the runtime folder. */
import { join } from 'node:path'
import type { Folders } from '@kalnet/io/folders'

/** The control plane's, for the local CLI as the owner. */
export const controlSocket = (where: Folders) => join(where.runtime, 'control.sock')
/** The supervisor's, for status and stop. */
export const supervisorSocket = (where: Folders) => join(where.runtime, 'supervisor.sock')
