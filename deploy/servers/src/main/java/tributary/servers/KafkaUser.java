package tributary.servers;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;

/** Makes a user of SCRAM-SHA-512 or changes the password; without a password the user is deleted. The arguments: brokers, name, password. */
public final class KafkaUser {
    private KafkaUser() {}

    public static void main(String[] args) throws Exception {
        UserScramCredentialAlteration change = args.length > 2
            ? new UserScramCredentialUpsertion(args[1], new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), args[2])
            : new UserScramCredentialDeletion(args[1], ScramMechanism.SCRAM_SHA_512);
        try (Admin admin = Admin.create(Map.<String, Object>of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]))) {
            admin.alterUserScramCredentials(List.of(change)).all().get();
        }
    }
}
