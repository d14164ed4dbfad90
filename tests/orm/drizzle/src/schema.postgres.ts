import { sql } from "drizzle-orm";
import {
  bigint, boolean, check, foreignKey, index, integer, jsonb, numeric, pgEnum, pgSchema, pgTable, primaryKey, serial,
  text, timestamp, unique, uniqueIndex, varchar,
} from "drizzle-orm/pg-core";
import { EDIT } from "./edit";

console.log("DROP TABLE printed_while_imported;");

export const status = pgEnum("status", EDIT >= 4 ? ["new", "paid", "shipped"] : ["new", "paid"]);
export const stock = pgSchema("stock");

export const customers = pgTable(
  "customers",
  {
    id: serial("id").primaryKey(),
    name: varchar(EDIT >= 7 ? "full_name" : "name", { length: EDIT >= 5 ? 100 : 50 }).notNull(),
    email: text("email").notNull(),
    createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
    ...(EDIT >= 2 ? { data: jsonb("data").notNull().default({ a: "100%;" }), labels: text("labels").array() } : {}),
  },
  (table) => [
    ...(EDIT < 6 ? [index("customers_by_name").on(table.name)] : [unique("customers_email").on(table.email)]),
    check("email_is_one", sql`${table.email} LIKE '%@%'`),
  ],
);

export const products = stock.table("products", {
  id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
  title: text("title").notNull().default("a;\n'b"),
  price: numeric("price", { precision: 10, scale: 2 }).notNull(),
  ...(EDIT >= 3 ? { double: numeric("double").generatedAlwaysAs(sql`price * 2`) } : {}),
});

export const orders = pgTable("orders", {
  id: serial("id").primaryKey(),
  customerId: integer("customer_id").notNull().references(() => customers.id, { onDelete: EDIT >= 5 ? "cascade" : "no action" }),
  status: status("status").notNull().default("new"),
  ...(EDIT >= 2 ? { note: EDIT >= 10 ? text("note").notNull() : text("note") } : {}),
  ...(EDIT >= 10 ? { total: integer("total").notNull().default(0) } : {}),
});

export const lines = pgTable(
  "order_lines",
  {
    orderId: integer("order_id").notNull().references(() => orders.id),
    productId: integer("product_id").notNull().references(() => products.id),
    amount: EDIT >= 5 ? bigint("amount", { mode: "number" }).notNull().default(1) : integer("amount").notNull().default(1),
  },
  (table) => [primaryKey({ columns: [table.orderId, table.productId] })],
);

export const invoices =
  EDIT >= 3
    ? stock.table(
        "invoices",
        {
          id: serial("id").primaryKey(),
          orderId: integer("order_id").notNull().references(() => orders.id),
          isPaid: boolean("is_paid").notNull().default(false),
        },
        (table) => [uniqueIndex("open_invoices").on(table.orderId).where(sql`NOT is_paid`)],
      )
    : undefined;

export const employees =
  EDIT >= 8
    ? pgTable("employees", { id: serial("id").primaryKey(), bossId: integer("boss_id") }, (table) => [
        foreignKey({ columns: [table.bossId], foreignColumns: [table.id], name: "boss" }),
      ])
    : undefined;

export const obsoleteKind = EDIT < 9 ? pgEnum("obsolete_kind", ["a", "b"]) : undefined;
export const obsolete = obsoleteKind ? pgTable("obsolete", { kind: obsoleteKind("kind") }) : undefined;
