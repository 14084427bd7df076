/** Roles and permissions: data of this version, the same for every tenant. */
import { z } from 'zod';
import { resource } from './document';

export const roleList = z.object({
  data: z.array(resource('role', z.object({ meaning: z.string(), permissions: z.array(z.string()) }))),
});

export const permissionList = z.object({
  data: z.array(resource('permission', z.object({ roles: z.array(z.string()) }))),
});
